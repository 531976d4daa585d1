"""Loaded by Schemathesis: without it, hardly a generated request would name a model that exists."""

import random

import schemathesis
from conftest import MODEL


@schemathesis.hook
def map_body(context, body):
    # A name that breaks the schema must stay as it is: its request has to be refused.
    model = body.get("model") if isinstance(body, dict) else None
    if isinstance(model, str) and 1 <= len(model) <= 256 and random.random() < 0.8:
        return {**body, "model": MODEL}
    return body


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and random.random() < 0.5:
        return {name: MODEL for name in path_parameters}
    return path_parameters
