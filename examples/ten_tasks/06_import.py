"""A DeepSeek-V3 folder that transformers wrote is read, generates, and can be trained on."""

from transformers import AutoModelForCausalLM, DeepseekV3Config

from minids import Transformer, generate

config = DeepseekV3Config.from_pretrained("runs/tiny/model", num_hidden_layers=3)
AutoModelForCausalLM.from_config(config).save_pretrained("theirs")
model = Transformer.from_pretrained("theirs")
print(f"{model.parameter_count():,} parameters in {model.config.num_hidden_layers} layers")
reply = generate(model, [[0, 5, 6, 7]], max_new_tokens=8, temperature=0)
print("ids:", reply.ids[0], "log-probabilities:", reply.logps[0])
