"""Any model by its name, as a policy with an identity.

`identify` says what a name means and hashes what it names, without loading it; `open_policy` loads
it. What does not live here: how a model is sampled (`agentgym_gen.trainers.sampling`), and the
chat endpoint's client (`agentgym_gen.agents`).
"""

from agentgym_gen.models.identity import KINDS, ModelIdentity, identify
from agentgym_gen.models.opening import Decoding, open_policy

__all__ = ["KINDS", "Decoding", "ModelIdentity", "identify", "open_policy"]
