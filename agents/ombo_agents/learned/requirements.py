"""Imported first by what needs all of the extra `agents`: says which package of it is missing."""

try:
    import safetensors  # noqa: F401
    import stable_baselines3  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "trained policies need torch, stable-baselines3 and safetensors: "
        'pip install "ombo-gym[agents]"'
    ) from error
