"""Reinforcement learning with verifiable rewards: GRPO and its variants.

grpo        the loss and the advantages              config    RLConfig: the settings of a run
trainer     the loop: sample, grade, learn           rollout   sampling and grading
presets     published settings by name               shaping   penalties for length, groups drawn again
rejection   a model's own answers as documents       distill   learning from a teacher's logits
replay      an answer of a finished run again, bit for bit
"""
