"""A model is written in Hugging Face's layout, and transformers computes the same with it."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from minids import Tokenizer, Transformer

model, tokenizer = (kind.from_pretrained("runs/tiny/model") for kind in (Transformer, Tokenizer))
for part in (model, tokenizer):
    part.save_pretrained("exported")
theirs, words = AutoModelForCausalLM.from_pretrained("exported"), AutoTokenizer.from_pretrained("exported")
ids = words("347+5896", return_tensors="pt").input_ids
with torch.no_grad():
    print("largest difference of the logits:", (model.eval()(ids) - theirs(ids).logits).abs().max().item())
