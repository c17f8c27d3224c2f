"""Training: the loop of pretraining and fine-tuning, and what every training run shares.

loop         `train` and TrainConfig           loss         the loss, packed and padded
optim        AdamW, Muon, schedules            gradients    all of them in one buffer, clipped together
run          start, resume, save, stop         checkpoint   files that survive a kill
parallel     several processes                 metrics      metrics.jsonl
"""
