"""The fork environment of `#%runtime_env`: the script that runs every task of a job inside a container. Pure.

The script is JavaScript, which a ProActive server runs in its own process and the embedded scheduler without a Java
machine. It puts words in front of the command that starts the task (``forkEnvironment.addPreJavaCommand``): the
container program, its options, and the folders that the task needs inside: the local space, where it works, the cache,
and, on a server, ProActive's own folder with the Java machine that will run in the container.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.model import Script

__all__ = ["ENGINES", "Container", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The arguments of `#%runtime_env`."""

    #: A key of `ENGINES`.
    type: str
    image: str
    nvidia_gpu: bool = False
    mount_host_path: str = ""
    mount_container_path: str = ""
    rootless: bool = False
    isolation: bool = False
    no_home: bool = False
    host_network: bool = True
    verbose: bool = False
    debug: bool = False


#: A folder of the task's node stands in the words under its name in the script.
_LOCAL, _CACHE, _HOME = "${localspace}", "${cachespace}", "${home}"


def _docker(container: Container) -> list[str]:
    words = [*(["--debug"] if container.debug else []), "run", "--rm", "--env", "HOME=/tmp"]
    if container.host_network:
        words += ["--network", "host"]
    if container.nvidia_gpu:
        words += ["--gpus", "all"]
    return [*words, *_volumes(container, "--volume"), "--workdir", _LOCAL, _plain_image(container)]


def _podman(container: Container) -> list[str]:
    words = [*(["--log-level", "debug"] if container.debug else []), "run", "--rm", "--env", "HOME=/tmp"]
    if container.rootless:
        words += ["--userns", "keep-id"]
    if container.host_network:
        words += ["--network", "host"]
    if container.nvidia_gpu:
        words += ["--device", "nvidia.com/gpu=all"]
    return [*words, *_volumes(container, "--volume"), "--workdir", _LOCAL, _plain_image(container)]


def _singularity(container: Container) -> list[str]:
    words = [*(["--debug"] if container.debug else []), "exec"]
    if container.rootless:
        words += ["--fakeroot"]
    if container.isolation:
        words += ["--containall"]
    if container.no_home:
        words += ["--no-home"]
    if not container.host_network:
        words += ["--net"]
    if container.nvidia_gpu:
        words += ["--nv"]
    return [*words, *_volumes(container, "--bind"), "--pwd", _LOCAL, container.image]


def _volumes(container: Container, option: str) -> list[str]:
    words = [word for folder in (_LOCAL, _CACHE, _HOME) for word in (option, f"{folder}:{folder}")]
    if container.mount_host_path:
        words += [option, f"{container.mount_host_path}:{container.mount_container_path}"]
    return words


def _plain_image(container: Container) -> str:
    """Singularity needs a prefix for images of Docker; docker and podman do not know that prefix."""
    return container.image.removeprefix("docker://")


#: Program -> the words after it.
ENGINES: Mapping[str, Callable[[Container], list[str]]] = {
    "docker": _docker,
    "podman": _podman,
    "singularity": _singularity,
}

# Docker's own user would leave files behind that the task's user cannot delete; only a shell knows that user's number.
_AS_USER = (
    'command -v docker >/dev/null || { echo "docker is not installed on this machine" >&2; exit 127; }; '
    'exec docker %s --user "$(id -u):$(id -g)" "$@"'
)

_SCRIPT = """\
// Runs the task inside a %(type)s container. Written by #%%runtime_env.
var folders = {localspace: localspace, cachespace: cachespace, home: ""};
try {
    // A ProActive node runs Java inside of the container too, from its own folder; elsewhere there is no Java.
    var home = String(variables.get("PA_SCHEDULER_HOME"));
    if (new java.io.File(home).isDirectory()) {
        folders.home = home;
        if (new java.io.File(home + "/jre/bin/java").canExecute()) {
            forkEnvironment.setJavaHome(home + "/jre");
        }
    }
} catch (noJava) {}
var words = %(words)s;
for (var i = 0; i < words.length; i++) {
    words[i] = words[i].replace(/\\$\\{(\\w+)\\}/g, function (found, name) {
        return folders[name] ? String(folders[name]) : "";
    });
    if (words[i] === ":") {
        // The node has no such folder: no mount, and no option for one.
        words[i] = words[i - 1] = "";
    }
}
words = words.filter(function (word) { return word !== ""; });
for (var i = 0; i < words.length; i++) {
    forkEnvironment.addPreJavaCommand(words[i]);
}
%(verbose)s"""
_VERBOSE = 'print("Started by: " + words.join(" "));\n'


def script(container: Container) -> Script:
    """The fork environment script."""
    words = [container.type, *ENGINES[container.type](container)]
    if container.type == "docker" and not container.rootless:
        options = words.index("run") + 1
        words = ["sh", "-c", _AS_USER % " ".join(words[1:options]), "docker", *words[options:]]
    lines = ",\n    ".join(json.dumps(word, ensure_ascii=False) for word in words)
    code = _SCRIPT % {
        "type": container.type,
        "words": f"[\n    {lines}\n]",
        "verbose": _VERBOSE if container.verbose else "",
    }
    return Script(language="javascript", code=code)
