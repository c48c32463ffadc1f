"""SearchQA's own content: passages and questions, made of the facts in ``data/``.

What lives here: the graph of entities (`graph`), one passage for each of them (`passages`), the
kinds of questions (`patterns`) and their words (`question_writer`). What does not: which questions
were chosen and in which split they are, which the data file holds, and a user's questions
(`agentgym_gen.envs.searchqa.question_formats`).
"""
