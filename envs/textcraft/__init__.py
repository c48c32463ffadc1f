"""TextCraft: crafting in Minecraft as text."""
