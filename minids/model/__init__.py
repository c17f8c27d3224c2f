"""The model, DeepSeek-V3's architecture in small, and what belongs to it.

config        ModelConfig: every size                 transformer   Transformer: the whole model
attention     MLA; MHA and GQA to compare with        cache         what is kept of a text that is being written
moe           experts, router, balance                layers        RMSNorm, SwiGLU, RoPE, YaRN
generate      sampling from it; speculative decoding in `speculative`
hf            Hugging Face's layout, in and out       accounting    parameters, FLOPs, hours and dollars on paper
fp8           linear layers in FP8                    ops           fast forms of the functions in layers and moe
"""
