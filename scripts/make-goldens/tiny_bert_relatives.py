"""Tiny random checkpoints of the post-norm encoders beside BERT, in the layouts that the hub has."""

from dataclasses import dataclass, field

import torch
import transformers

from checkpoint import MODELS, Checkpoint, make_checkpoint, randomize

HIDDEN, VOCAB, POSITIONS = 32, 300, 83
SIZES = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 56,
    "hidden_act": "gelu",
    "vocab_size": VOCAB,
    "max_position_embeddings": POSITIONS,
}
LENGTHS = [*range(1, 21), 31, 32, 33, 47, 64, 67, 79]
PADDING_INSIDE = [[7, 1, 9, 1, 1, 22, 150, 1], [1, 1, 5, 6], [0, 7, 0, 9, 0, 0, 31, 0], [1], [0], [1, 1, 1], [0, 0, 0]]


@dataclass
class Variant:
    model: type[transformers.PreTrainedModel]  # the reference
    config: dict  # what config.json says beside SIZES; None takes a size out
    architecture: str
    dtype: torch.dtype = torch.float16
    prefix: str = ""
    heads: tuple[str, ...] = ()  # names of tensors beside the model
    padding_id: int | None = None  # where positions are counted from it
    pooling: str = "mean"
    lengths: list[int] = field(default_factory=lambda: LENGTHS)


ROBERTA = {"layer_norm_eps": 1e-5, "type_vocab_size": 1, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}

VARIANTS = {
    "roberta": Variant(
        model=transformers.RobertaModel,
        config={"model_type": "roberta", **ROBERTA, "layer_norm_eps": 1e-12, "type_vocab_size": 2},
        architecture="roberta",
        dtype=torch.bfloat16,
        padding_id=1,
        pooling="cls",
    ),
    "xlm-roberta": Variant(
        model=transformers.XLMRobertaModel,
        config={"model_type": "xlm-roberta", "position_embedding_type": "absolute", **ROBERTA},
        architecture="roberta",
        prefix="roberta.",
        heads=("roberta.pooler.dense.bias", "lm_head.bias", "lm_head.layer_norm.weight", "lm_head.decoder.weight"),
        padding_id=1,
    ),
    "camembert": Variant(
        model=transformers.CamembertModel,
        config={"model_type": "camembert", **ROBERTA, "hidden_act": "gelu_python"},
        architecture="roberta",
        prefix="camembert.",
        padding_id=1,
    ),
    "bilingual": Variant(
        model=transformers.XLMRobertaModel,
        config={"model_type": "bilingual", **ROBERTA, "layer_norm_eps": 1e-12, "type_vocab_size": 2, "pad_token_id": 0},
        architecture="roberta",
        padding_id=0,
    ),
    "mpnet": Variant(
        model=transformers.MPNetModel,
        config={
            "model_type": "mpnet",
            "max_position_embeddings": 702,
            "layer_norm_eps": 1e-5,
            "relative_attention_num_buckets": 32,
            "pad_token_id": 1,
        },
        architecture="mpnet",
        heads=("pooler.dense.bias", "lm_head.bias"),
        padding_id=1,
        lengths=[*LENGTHS, 130, 260, 512, 513, 641],
    ),
    "distilbert": Variant(
        model=transformers.DistilBertModel,
        config={
            **dict.fromkeys(SIZES, None),
            "model_type": "distilbert",
            "dim": HIDDEN,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 56,
            "activation": "gelu",
            "vocab_size": VOCAB,
            "max_position_embeddings": POSITIONS,
            "sinusoidal_pos_embds": True,
            "pad_token_id": 0,
        },
        architecture="distilbert",
        prefix="distilbert.",
        heads=("pre_classifier.weight", "vocab_transform.weight", "vocab_layer_norm.weight", "vocab_projector.bias"),
    ),
    "electra": Variant(
        model=transformers.ElectraModel,
        config={"model_type": "electra", "embedding_size": 24, "layer_norm_eps": 1e-12, "pad_token_id": 0},
        architecture="electra",
        prefix="electra.",
        heads=("discriminator_predictions.dense.weight", "discriminator_predictions.dense_prediction.bias"),
    ),
    "electra-one-width": Variant(
        model=transformers.ElectraModel,
        config={"model_type": "electra", "embedding_size": HIDDEN, "hidden_act": "relu", "pad_token_id": 0},
        architecture="electra",
    ),
    "albert": Variant(
        model=transformers.AlbertModel,
        config={
            "model_type": "albert",
            "embedding_size": 24,
            "num_hidden_layers": 3,
            "hidden_act": None,
            "num_hidden_groups": 1,
            "inner_group_num": 1,
            "pad_token_id": 0,
        },
        architecture="albert",
        prefix="albert.",
        heads=("albert.pooler.bias", "predictions.bias", "sop_classifier.classifier.weight"),
    ),
    "albert-groups": Variant(
        model=transformers.AlbertModel,
        config={
            "model_type": "albert",
            "embedding_size": 24,
            "num_hidden_layers": 5,
            "hidden_act": "mish",
            "num_hidden_groups": 2,
            "inner_group_num": 2,
            "pad_token_id": 0,
        },
        architecture="albert",
    ),
    "ernie": Variant(
        model=transformers.ErnieModel,
        config={
            "model_type": "ernie",
            "type_vocab_size": 4,
            "task_type_vocab_size": 3,
            "use_task_id": True,
            "layer_norm_eps": 1e-5,
            "pad_token_id": 0,
        },
        architecture="ernie",
        prefix="ernie.",
        heads=("cls.predictions.bias",),
    ),
    "deberta": Variant(
        model=transformers.DebertaV2Model,
        config={
            "model_type": "deberta-v2",
            "max_position_embeddings": 700,
            "relative_attention": True,
            "position_buckets": 32,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": "p2c|c2p",
            "layer_norm_eps": 1e-7,
            "max_relative_positions": -1,
            "position_biased_input": False,
            "type_vocab_size": 0,
            "pad_token_id": 0,
        },
        architecture="deberta",
        prefix="deberta.",
        heads=("lm_predictions.lm_head.bias", "mask_predictions.dense.bias"),
        lengths=[*LENGTHS, 130, 260, 512, 513, 641],
    ),
}


def make() -> None:
    for name, variant in VARIANTS.items():
        make_one(name, variant)


def make_one(name: str, variant: Variant) -> None:
    config = {key: value for key, value in (SIZES | variant.config).items() if value is not None}
    own = {key: value for key, value in config.items() if key != "model_type"}
    weights = random_weights(variant, variant.model.config_class(**own))
    max_tokens = config["max_position_embeddings"] - (0 if variant.padding_id is None else variant.padding_id + 1)
    make_checkpoint(
        Checkpoint(
            name=name,
            architecture=variant.architecture,
            config={
                "architectures": [variant.model.__name__],
                **config,
                "torch_dtype": str(variant.dtype).removeprefix("torch."),
            },
            weights={variant.prefix + key: value for key, value in weights.items()},
            forward=lambda ids, mask: loaded(name, variant, own)(input_ids=ids, attention_mask=mask).last_hidden_state,
            max_tokens=max_tokens,
            lengths=[*variant.lengths, max_tokens],
            arrays=PADDING_INSIDE if variant.padding_id is not None else [],
            vocab=VOCAB,
            padding_id=variant.padding_id or 0,
            pooling=variant.pooling,
            heads={head: torch.full((HIDDEN,), 0.5, dtype=variant.dtype) for head in variant.heads},
        )
    )
    expected = {key: value.float() for key, value in weights.items()}
    for key, value in loaded(name, variant, own).state_dict().items():
        assert key not in expected or torch.equal(value, expected.pop(key)), key
    assert not expected, f"transformers did not read {list(expected)}"


def random_weights(variant: Variant, config: transformers.PretrainedConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    weights = dict(randomize(variant.model(config)).state_dict())
    for key, value in weights.items():
        if key.startswith(("embeddings_project.weight", "encoder.embedding_hidden_mapping_in.weight")):
            value *= 0.2  # matrices, though their names begin like those of tables
    return {key: value.to(variant.dtype) for key, value in weights.items() if not key.startswith("pooler.")}


MODELS_LOADED: dict[str, torch.nn.Module] = {}


def loaded(name: str, variant: Variant, config: dict) -> torch.nn.Module:
    """transformers on the files that were written; the class is given, since it does not know every model_type."""
    if name not in MODELS_LOADED:
        MODELS_LOADED[name] = variant.model.from_pretrained(
            MODELS / name,
            config=variant.model.config_class(**config),
            dtype=torch.float32,
            attn_implementation="eager",
            key_mapping={f"^{variant.prefix}": ""},  # transformers does not strip every prefix that occurs
        ).eval()
    return MODELS_LOADED[name]
