"""What the names in a cell stand for: everything that its numbers depend on.

A cell is played again when one of these has changed, and taken from what is kept otherwise:

- **The policy's code.** Of a policy that the maker lists: the class or function that its entry
  names, the files of all that it needs (`import_graph`), inside the maker's package and `ombo_gym`,
  and what the maker itself does with a name, but not the entries of other policies. Of
  `module:Class`: its file, those that it imports from beside it, and what it needs of the packages.
  Of a trained policy: what loads one.
- **Its settings**: `hyperparameters/NAME.toml`; the weights and `config.json` of a trained policy,
  of one that comes with the package (`learned/checkpoints/NAME`), and of a learned prior that a
  surrogate's recipe names.
- **The environment's code**: what the vector environment and the problem's class need. Surrogates,
  acquisitions and the controls that use them belong to it where the campaigns have another control
  than `designs`; elsewhere they only count with the policies that use them.
- **The problem's data**: the files of `Problem.sources`.
- **Versions** of libraries that any of these files import, at the top or inside functions: numpy,
  scipy, torch, simulators, and whatever an own policy brings. `NO_NUMBERS` lists those that numbers
  do not depend on; of gymnasium only the simulators in `gymnasium.envs` do.

What evaluates, draws, tests and prints does not count (`LEFT_OUT`), nor do the files
of other policies. A file counts whole: a comment in one that the policy needs plays its cells
again. Files are read and never run, so what a process has imported before an edit is what it plays.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import gymnasium as gym

from ombo_gym.control_names import control_name
from ombo_gym.evaluation.import_graph import ImportGraph, Modules
from ombo_gym.evaluation.module_text import Import
from ombo_gym.registration import names_problem

MAKER = "ombo_agents:make"
LEFT_OUT = ("ombo_gym.evaluation", "ombo_gym.rendering", "ombo_gym.testing", "ombo_agents.cli")
OF_CONTROLS = (
    *("ombo_gym.controls.candidates", "ombo_gym.controls.exploration"),
    *("ombo_gym.surrogates", "ombo_gym.acquisition"),
)
NO_NUMBERS = {
    *("gymnasium", "joblib", "matplotlib", "packaging", "pandas", "pygame", "rich", "safetensors"),
    *("tensorboard", "threadpoolctl", "tqdm", "typing_extensions", "tyro", "yaml"),
}
_SIMULATORS = {  # modules of gymnasium whose numbers count, and what stands behind them
    "gymnasium.envs.box2d": ("gymnasium", "Box2D"),
    "gymnasium.envs": ("gymnasium",),
}
_SURROGATE = "ombo_gym.surrogates.surrogate"  # builds what a recipe stands for
_AS_SHOWN = Import("ombo_gym.observations", "as_last_round")
_OURS = ("ombo_gym", "ombo_agents")

Parts = dict[str, str]  # what counts -> hash of its content, or its version


def fingerprint(
    policy: str,
    env_id: str,
    sources: Sequence[Path] = (),
    *,
    env_kwargs: str = "{}",
    maker: str = MAKER,
) -> str:
    """Hash of everything that the names in a cell stand for.

    Args:
        policy: A name that the maker lists, with settings or without; a folder; `module:Class`.
        env_id: Of the environment.
        sources: Files that the problem's values are read from.
        env_kwargs: Further arguments of the environment, as JSON.
        maker: "module:function" that builds policies.
    """
    return Identities().fingerprint(policy, env_id, sources, env_kwargs=env_kwargs, maker=maker)


class Identities:
    """What policies and environments are made of; each file is looked at once, for one run."""

    def __init__(self) -> None:
        self._modules: dict[tuple[str, ...], Modules] = {}
        self._versions: dict[str, Parts] = {}
        self._hashes: dict[tuple[str, ...], str] = {}

    def fingerprint(
        self,
        policy: str,
        env_id: str,
        sources: Sequence[Path] = (),
        *,
        env_kwargs: str = "{}",
        maker: str = MAKER,
        utility_class: str = "",
    ) -> str:
        """As the function of this name; with the code of a utility of one's own."""
        policy_key = ("policy", policy, maker)
        if policy_key not in self._hashes:
            self._hashes[policy_key] = _hash(self.policy_parts(policy, maker))
        env = self.env_fingerprint(env_id, sources, env_kwargs=env_kwargs)
        own: list[str] = []
        if utility_class:
            key = ("utility", utility_class)
            if key not in self._hashes:
                self._hashes[key] = _hash(self._class_parts(utility_class))
            own = [self._hashes[key]]
        return _hash([self._hashes[policy_key], env, *own])

    def env_fingerprint(
        self, env_id: str, sources: Sequence[Path] = (), *, env_kwargs: str = "{}"
    ) -> str:
        """Hash of what an environment's name stands for, see `fingerprint`."""
        arguments = json.loads(env_kwargs)
        control = control_name(arguments.get("control", "designs"))
        key = ("env", env_id, control)
        if key not in self._hashes:
            self._hashes[key] = _hash(self.env_parts(env_id, control=control))
        files = [*sources, *_prior(arguments.get("surrogate"))]
        return _hash([self._hashes[key], *(_digest(file) for file in files)])

    def policy_parts(self, policy: str, maker: str = MAKER) -> Parts:
        """What a policy is made of, with a hash or a version of each.

        Args:
            policy: As in `fingerprint`.
            maker: "module:function" that builds policies.
        """
        name, _, attribute = policy.partition(":")
        attribute = attribute.partition(":")[0]
        module, _, function = maker.partition(":")
        own = _is_module_and_name(policy)
        modules = self._modules_of([module, *([name] if own else [])])
        graph = ImportGraph(modules, left_out=LEFT_OUT, name=name)
        maker_origin = modules.origin(Import(module, function))
        listed = graph.listed(maker_origin, "" if own else name)
        parts = {f"{maker_origin.module}:{key}": _hash(text) for key, text in listed.texts.items()}
        trained = _trained(policy)
        if trained:
            files, roots = trained, listed.inner
        elif own:
            files, roots = [], [Import(name, attribute)]
        else:
            package = module.partition(".")[0]
            files = _settings(modules.file(f"{package}.hyperparameters"), name)
            files += _shipped(modules.file(f"{package}.learned"), name)
            roots = listed.shared if listed.entry is None else listed.entry
        parts |= {f"file:{file.name}": _digest(file) for file in files}
        return parts | self._code_parts(graph, roots)

    def env_parts(self, env_id: str, *, control: str = "designs") -> Parts:
        """What an environment is made of, without its data, with a hash or a version of each.

        Args:
            env_id: Of the environment.
            control: What agents act on.
        """
        registered = gym.registry.get(env_id.rpartition(":")[2])
        name = None if registered is None else registered.kwargs.get("problem")
        if registered is None and names_problem(env_id):
            module, _, problem = env_id.partition(":")
            roots = [Import("ombo_gym.vector_env", "CampaignVectorEnv"), Import(module, problem)]
        elif registered is None:
            roots = [Import(env_id.partition(":")[0])]
        else:
            entries = (registered.vector_entry_point or registered.entry_point, name)
            roots = [found for entry in entries if (found := _named(entry)) is not None]
        modules = self._modules_of(root.module for root in roots)
        left_out = (*LEFT_OUT, *(OF_CONTROLS if control == "designs" else ()))
        graph = ImportGraph(
            modules, left_out=left_out, name=name if isinstance(name, str) else None
        )
        return self._code_parts(graph, [*roots, _AS_SHOWN])

    def shipped(self, policy: str, maker: str = MAKER) -> list[Path]:
        """The files of a policy that comes trained with its package; none of all others.

        Args:
            policy: As in `fingerprint`.
            maker: "module:function" that builds policies.
        """
        package, name = maker.partition(":")[0].partition(".")[0], policy.partition(":")[0]
        if _is_module_and_name(policy) or _trained(policy):
            return []
        return _shipped(self._modules_of([package]).file(f"{package}.learned"), name)

    def uses_surrogate(self, policy: str, maker: str = MAKER) -> bool:
        """Whether a policy's code needs what a surrogate's recipe stands for.

        Args:
            policy: As in `fingerprint`.
            maker: "module:function" that builds policies.
        """
        return _SURROGATE in self.policy_parts(policy, maker)

    def _class_parts(self, name: str) -> Parts:
        """What `module:Class` is made of."""
        module, _, symbol = name.partition(":")
        graph = ImportGraph(self._modules_of([module]), left_out=LEFT_OUT, name=None)
        return self._code_parts(graph, [Import(module, symbol.partition(".")[0])])

    def _code_parts(self, graph: ImportGraph, roots: Iterable[Import]) -> Parts:
        """Files and versions behind some names."""
        closure = graph.closure(roots)
        parts = {module: graph.digest(module) for module in closure.modules}
        for library in closure.libraries:
            if library not in self._versions:
                self._versions[library] = _versions(library)
            parts |= self._versions[library]
        return parts

    def _modules_of(self, names: Iterable[str]) -> Modules:
        """The modules of our packages, those of others that are named, and what is beside them."""
        tops = tuple(dict.fromkeys([*_OURS, *(name.partition(".")[0] for name in names)]))
        if tops not in self._modules:
            places = {top: place for top in tops if (place := _whereabouts(top)) is not None}
            beside = [
                place.parent
                for top, place in places.items()
                if top not in _OURS and not _is_installed(place.parent)
            ]
            self._modules[tops] = Modules(places, beside[-1] if beside else None)
        return self._modules[tops]


def _named(entry: Any) -> Import | None:
    """What "module:name" stands for, or a class or function."""
    if isinstance(entry, str):
        module, _, symbol = entry.partition(":")
        return Import(module, symbol) if symbol else None
    name = getattr(entry, "__qualname__", "").partition(".")[0]
    return Import(entry.__module__, name) if name else None


def _whereabouts(module: str) -> Path | None:
    """A top-level module's file or, of a package, its folder, without importing it."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # ValueError: what is run as a script has none
        spec = None
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    file = getattr(sys.modules.get(module), "__file__", None) if spec is None else spec.origin
    return Path(file) if file and file.endswith(".py") else None


def _is_installed(folder: Path) -> bool:
    """Whether a folder is where packages are installed, so that not all in it is one's own."""
    return str(folder) in {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}


def _versions(library: str) -> Parts:
    """The version of a library, where numbers depend on it."""
    simulator = next((name for name in _SIMULATORS if library.startswith(name)), None)
    tops = _SIMULATORS[simulator] if simulator else {library.partition(".")[0]} - NO_NUMBERS
    return {f"version:{top}": found for top in tops if (found := _version(top)) is not None}


def _version(top: str) -> str | None:
    """The version of what holds a top-level module; None where it is not installed."""
    try:
        return version(top)  # most distributions are named like their module
    except PackageNotFoundError:
        names = _distributions().get(top, ())
        return "; ".join(f"{name} {version(name)}" for name in sorted(names)) or None


@lru_cache(maxsize=1)
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


def _is_module_and_name(policy: str) -> bool:
    """Whether a policy's name reads `module:Class`, and not as a name with settings."""
    module, _, attribute = policy.partition(":")
    attribute = attribute.partition(":")[0]  # settings behind it
    return attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _hash(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _trained(policy: str) -> list[Path]:
    folder = Path(policy)
    if not (folder / "config.json").is_file():
        return []
    weights = [file for file in sorted(folder.glob("*.safetensors")) if file.is_file()]
    return [*weights, folder / "config.json"]


def _prior(surrogate: Any) -> list[Path]:
    """The files of a learned prior, where a surrogate's recipe names one."""
    path = surrogate.get("path") if isinstance(surrogate, dict) else None
    return _trained(path) if isinstance(path, str) else []


def _settings(package: Path | None, name: str) -> list[Path]:
    """The file of a policy's settings, with what reads it."""
    file = None if package is None else package.with_name(f"{name}.toml")
    return [] if package is None or file is None or not file.is_file() else [package, file]


def _shipped(package: Path | None, name: str) -> list[Path]:
    """The files of a policy that comes trained with its package."""
    folder = None if package is None else package.parent / "checkpoints" / name
    return [] if folder is None or not folder.is_dir() else sorted(folder.iterdir())


def _digest(file: Path) -> str:
    status = file.stat()
    return _content(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _content(file: Path, changed: int, size: int) -> str:
    """Hash of a file's content, read again when the file was written to."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
