"""GRPO for an agent that thinks and acts in text; the model needs no template for tools."""

from trl import GRPOConfig, GRPOTrainer, ModelConfig, TrlParser

from agentgym_gen.integrations.trl import dataset, episode_reward, rollout_func

if __name__ == "__main__":
    args, model = TrlParser((GRPOConfig, ModelConfig)).parse_args_and_config()
    trainer = GRPOTrainer(
        model=model.model_name_or_path,
        args=args,
        reward_funcs=episode_reward,
        train_dataset=dataset(["rftgen/Sokoban-easy-v0", "rftgen/TextCraft-easy-v0"], 512),
        rollout_func=rollout_func(reward="score"),
    )
    trainer.train()
