"""What the reward takes for the same: colours, phrases that are worded alike, nouns of titles.

Functions of texts alone live here. What a product or a goal is, and how much a match is worth,
does not.
"""
