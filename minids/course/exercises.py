"""The exercises' ids, and the function of the library behind each.

An id stays when a function moves to another module or gets a better name: chapters, cases, wrong versions, a student's
mine/ and stored grades all say the id. What an exercise was called before counts as its id wherever a student's file or
notebook says it: the path below `minids` that it had when ids were paths, and the names that its function had.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where an exercise's function is: its module below `minids`, its name, and `was`, earlier names as paths below
    `minids`."""

    module: str
    function: str
    was: tuple = ()


def _place(target, *was):
    module, _, function = target.partition(":")
    return Place(module, function, was)


# fmt: off
PLACES = {
    "bill.active": _place("model.accounting:active", "ship.cost.active"),
    "bill.attention_flops": _place("model.accounting:attention_flops", "ship.cost.attention_flops"),
    "bill.training_flops": _place("model.accounting:training_flops", "ship.cost.training_flops"),
    "bill.gpu_hours": _place("model.accounting:gpu_hours", "ship.cost.gpu_hours"),
    "bill.dollars": _place("model.accounting:bill", "ship.cost.bill"),
    "bill.cache_bytes": _place("model.accounting:cache_bytes", "ship.cost.cache_bytes"),
    "bpe.count_pairs": _place("text.bpe:count_pairs", "text.bpe.count_pairs"),
    "bpe.merge_word": _place("text.bpe:merge_word", "text.bpe.merge_word"),
    "bpe.train": _place("text.bpe:train_merges", "text.bpe.train_merges"),
    "bpe.apply": _place("text.bpe:apply_merges", "text.bpe.apply_merges"),
    "bpe.isolate": _place("text.bpe:isolate", "text.bpe.isolate"),
    "chat.document_ids": _place("text.chat:document_ids", "text.chat.document_ids"),
    "layers.rms_norm": _place("model.layers:rms_norm", "model.layers.rms_norm"),
    "layers.rope": _place("model.layers:apply_rope", "model.layers.apply_rope"),
    "layers.swiglu": _place("model.layers:swiglu", "model.layers.swiglu"),
    "attention.attend": _place("model.attention:attend", "model.attention.attend"),
    "sampling.filter": _place("model.sampling:filter_logits", "model.sampling.filter_logits"),
    "attention.cache": _place("model.cache:store", "model.cache.store"),
    "mla.expand": _place("model.attention:expand_latent", "model.attention.expand_latent"),
    "mla.naive": _place("model.attention:mla_naive", "model.attention.mla_naive"),
    "mla.absorb": _place("model.attention:mla_absorbed", "model.attention.mla_absorbed"),
    "mla.cache": _place("model.attention:cached_latents", "model.attention.cached_latents"),
    "yarn.frequencies": _place("model.layers:yarn_inv_freq", "model.layers.yarn_inv_freq"),
    "yarn.scale": _place("model.layers:softmax_scale", "model.layers.softmax_scale"),
    "moe.route": _place("model.moe:route", "model.moe.route"),
    "moe.experts": _place("model.moe:experts_loop", "model.moe.experts_loop"),
    "moe.permute": _place("model.moe:permute_tokens", "model.moe.slots"),
    "moe.bias": _place("model.moe:bias_step", "model.moe.bias_step"),
    "moe.balance_loss": _place("model.moe:balance_loss", "model.moe.balance_loss"),
    "moe.groups": _place("model.moe:mask_groups", "model.moe.limit_groups"),
    "mtp.combine": _place("model.transformer:mtp_combine", "model.transformer.mtp_combine"),
    "mtp.inputs": _place("model.transformer:mtp_inputs", "model.transformer.mtp_inputs"),
    "mtp.targets": _place("train.loss:targets_ahead", "train.loss.targets_ahead"),
    "speculative.accept": _place("model.speculative:accept", "model.speculative.accept"),
    "speculative.step": _place("model.speculative:speculate", "model.speculative.speculate"),
    "speculative.speedup": _place("model.speculative:expected_speedup", "model.speculative.expected_speedup"),
    "fp8.round": _place("kernels.floats:round_to", "kernels.floats.round_to"),
    "fp8.scale": _place("kernels.quantise:scale_of", "kernels.quantise.scale_of"),
    "fp8.quantise": _place("kernels.quantise:quantise_reference", "kernels.quantise.quantise_reference"),
    "fp8.dequantise": _place("kernels.quantise:dequantise", "kernels.quantise.dequantise"),
    "fp8.matmul": _place("kernels.gemm:matmul_reference", "kernels.gemm.matmul_reference"),
    "fp8.backward": _place("model.fp8:backward_products", "model.fp8.backward_products"),
    "triton.swiglu": _place("kernels.swiglu:swiglu_kernel", "kernels.swiglu.swiglu_kernel"),
    "triton.rms_norm": _place("kernels.rmsnorm:rms_norm_kernel", "kernels.rmsnorm.rms_norm_kernel"),
    "triton.quantise": _place("kernels.quantise:quantise_kernel", "kernels.quantise.quantise_kernel"),
    "triton.quantise_weight": _place(
        "kernels.quantise:quantise_weight_kernel", "kernels.quantise.quantise_weight_kernel"
    ),
    "triton.matmul": _place("kernels.tiled:matmul_kernel", "kernels.tiled.matmul_kernel"),
    "triton.fp8_matmul": _place("kernels.tiled:fp8_matmul_kernel", "kernels.tiled.fp8_matmul_kernel"),
    "pretraining.pack": _place("text.corpus:best_fit", "text.corpus.best_fit"),
    "pretraining.schedule": _place("train.optim:deepseek_v3", "train.optim.deepseek_v3"),
    "pretraining.adamw": _place("train.optim:adamw_update", "train.optim.adamw_update"),
    "pretraining.clip": _place("train.gradients:clip_factor", "train.gradients.clip_factor"),
    "pretraining.muon": _place("train.optim:orthogonalise", "train.optim.orthogonalise"),
    "pretraining.scaling_law": _place("train.scaling:fit", "train.scaling.fit"),
    "sft.prompt": _place("text.chat:prompt_ids", "text.chat.prompt_ids"),
    "sft.thought": _place("tasks.arithmetic:digit_steps", "reason.tasks.digit_steps"),
    "sft.loss_weights": _place("tasks.documents:loss_weights", "reason.documents.loss_weights"),
    "sft.pad": _place("text.corpus:pad_batch", "text.corpus.pad_batch"),
    "sft.mask": _place("model.transformer:document_mask", "model.transformer.segment_mask"),
    "grpo.slopes": _place("studies.exact_gradient:slopes", "reason.exact.slopes"),
    "grpo.advantages": _place("rl.grpo:advantages", "reason.grpo.advantages"),
    "grpo.surrogate": _place("rl.importance_sampling:surrogate", "reason.ratios.surrogate"),
    "grpo.kl": _place("rl.grpo:kl_estimate", "reason.grpo.kl_estimate"),
    "grpo.loss": _place("rl.grpo:grpo_loss", "reason.grpo.grpo_loss"),
    "reward.integer": _place("tasks.arithmetic:parse_integer", "reason.reward.parse_integer"),
    "r1.number_words": _place("tasks.arithmetic:spoken", "reason.tasks.spoken"),
    "reward.language": _place("tasks.reward:language_consistency", "reason.reward.language_consistency"),
    "rejection.accept": _place("rl.rejection:accept", "reason.rejection.accept"),
    "rejection.expected": _place("rl.rejection:expected_kept", "reason.rejection.expected_kept"),
    "distill.kl": _place("rl.distill:kl_sum", "reason.distill.kl_sum"),
    "statistics.pass_at_k": _place("eval.statistics:pass_at_k", "reason.metrics.pass_at_k"),
    "statistics.bootstrap": _place("eval.statistics:bootstrap_ci", "reason.metrics.bootstrap_ci"),
    "statistics.paired": _place("eval.statistics:paired_test", "reason.metrics.paired_test"),
    "statistics.slope": _place("eval.statistics:slope_within", "reason.metrics.slope_within"),
    "held_out.key": _place("tasks.arithmetic:key_of", "reason.tasks.key_of"),
    "thoughts.limit": _place("eval.thought_interventions:limit_thought", "reason.probe.limit_thought"),
}
# fmt: on

# {earlier name of a function: its name now}
RENAMED = {
    was.rpartition(".")[2]: place.function
    for place in PLACES.values()
    for was in place.was
    if was.rpartition(".")[2] != place.function
}


def spellings(name):
    """The names that an exercise's function has, and had."""
    function = PLACES[name].function
    return [function, *(was for was, now in RENAMED.items() if now == function)]


_BEFORE = {was: name for name, place in PLACES.items() for was in place.was}


def canonical(name):
    """The id of an exercise by its id, or by a name that it had before; other names as they are."""
    return name if name in PLACES else _BEFORE.get(name, name)
