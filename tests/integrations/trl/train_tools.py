"""GRPO for a model that calls tools."""

from trl import GRPOConfig, GRPOTrainer, ModelConfig, TrlParser

from agentgym_gen.integrations.trl import dataset, environment_factory

if __name__ == "__main__":
    args, model = TrlParser((GRPOConfig, ModelConfig)).parse_args_and_config()
    trainer = GRPOTrainer(
        model=model.model_name_or_path,
        args=args,
        train_dataset=dataset(["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"], 512),
        environment_factory=environment_factory(reward="score"),
    )
    trainer.train()
