"""The shop that comes with the package: products and goals of our own, made from seeds.

Here are the vocabulary, the products and the wording of the customers' requests. The pages, the
search and the reward are not: they are the same for the original's files, one folder up.
"""
