"""config.json as transformers 4 wrote it, from what transformers 5 writes."""

import torch

NEWER_KEYS = ("rope_parameters", "layer_types", "dtype", "transformers_version", "_name_or_path")


def current(config, dtype: torch.dtype, **changes) -> dict:
    """As transformers 5 saves it, without what says nothing about the model."""
    kept = {key: value for key, value in config.to_diff_dict().items() if key not in NEWER_KEYS[3:]}
    return {**kept, "dtype": name_of(dtype), **changes}


def legacy(config, dtype: torch.dtype, **changes) -> dict:
    """`rope_theta` and `rope_scaling` beside each other, `torch_dtype`, a rule where now `layer_types` stands."""
    kept = {key: value for key, value in config.to_diff_dict().items() if key not in NEWER_KEYS}
    rope = dict(config.rope_parameters)
    if "rope_theta" in rope:
        kept["rope_theta"] = rope.pop("rope_theta")
        kept["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    return {**kept, "torch_dtype": name_of(dtype), **changes}


def name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
