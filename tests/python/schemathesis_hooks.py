"""Loaded by Schemathesis: without it, hardly a generated request would name a model that exists."""

import random

import schemathesis
from conftest import MODEL


@schemathesis.hook
def map_body(context, body):
    if isinstance(body, dict) and isinstance(body.get("model"), str) and random.random() < 0.8:
        return {**body, "model": MODEL}
    return body


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and random.random() < 0.5:
        return {name: MODEL for name in path_parameters}
    return path_parameters
