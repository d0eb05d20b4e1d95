#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image. What fails here ends the build.
#
# pip takes packages from where its own configuration says: PIP_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX.
# MPGRADE_PYTHON names another interpreter than the first one from 3.10 on that is found.
set -euo pipefail
umask 022
extras="stacks"
packages=""

source=/autograder/source
venv=/autograder/mpgrade

find_python() {
    local each
    for each in ${MPGRADE_PYTHON:+"$MPGRADE_PYTHON"} python3 python3.1{4,3,2,1,0}; do
        if "$each" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
            command -v "$each"
            return
        fi
    done
    return 1
}

if ! find_python > /dev/null || ! command -v bwrap > /dev/null || ! command -v setpriv > /dev/null; then
    apt-get update || true
    for package in python3 python3-venv bubblewrap util-linux; do
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" ||
            echo "setup.sh: apt-get could not install $package; going on without it" >&2
    done
fi
if ! python=$(find_python); then
    echo "setup.sh: there is no Python of at least 3.10 with venv: choose the base image Ubuntu 22.04 or newer" >&2
    exit 1
fi

"$python" -m venv "$venv"
wheels=("$source"/pytest_mpgrade-*.whl)
"$venv/bin/python" -m pip install --disable-pip-version-check "${wheels[0]}[$extras]"
read -r -a allowed <<< "$packages"
if ((${#allowed[@]})); then
    "$venv/bin/python" -m pip install --disable-pip-version-check "${allowed[@]}"
fi

# A zip that has come through a web form has lost its modes. Tests and reference are for root only.
chown -R root:root "$source"
chmod -R u=rwX,go= "$source"
chmod u+x "$source/setup.sh" "$source/run_autograder"
"$venv/bin/mpgrade" doctor "$source/assignment" || true
