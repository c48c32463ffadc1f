"""The trainers, installed as ``agentgym_gen.trainers``; the only place that imports torch."""

if __name__ != "agentgym_gen.trainers":
    raise ModuleNotFoundError(
        f"this folder is the package 'agentgym_gen.trainers', but was imported as {__name__!r}; "
        "import agentgym_gen.trainers instead"
    )
