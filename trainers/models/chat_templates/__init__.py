"""Chat templates as they are: what one shows, and chats for a template that lacks something.

What does not live here: chats as tokens (`agentgym_gen.trainers.models.chat`).
"""
