"""Measurements behind claims of this project, made again by `minids dev NAME`.

exact_gradient, exact_model   expected updates of RL losses beside the exact gradient: `minids dev exact`
compare_presets               published settings of GRPO side by side: `minids dev presets`
fp8_gap                       what training in FP8 costs in loss: `minids dev fp8-gap`
"""
