"""The name by which verifiers finds the environments: ``agentgym-gen-vf``."""

from agentgym_gen.integrations.verifiers import SessionEnv, SessionTaskset

__all__ = ["SessionEnv", "SessionTaskset"]
