"""The script of docs/trainers/others.md."""

from agentgym_gen.integrations.nemo_gym import SessionServer

if __name__ == "__main__":
    SessionServer.run_webserver()
