#!/bin/sh
# Link TensorRT's engine cache to the folder of this machine's GPU and TensorRT; run it before Triton starts, in
# Triton's own image, for instance as an init container: engine_cache.sh [LINK] [STORE]
#
# An engine built for another GPU or TensorRT fails to load or computes slowly. Neither is known when a model is
# exported, so config.pbtxt names LINK/<model fingerprint> and is the same everywhere, and this decides where LINK leads:
# STORE/<gpu>-sm<compute capability>-tensorrt<version>.
set -eu

link=${1:-/var/cache/triton/tensorrt}
store=${2:-/var/cache/triton/engines}

gpus=$(nvidia-smi --query-gpu=name,compute_cap --format=csv,noheader | sort -u)
if [ "$(printf '%s\n' "$gpus" | wc -l)" -ne 1 ]; then
    echo "engine_cache.sh: this machine has GPUs of several kinds; give each Triton those of one kind:" >&2
    printf '%s\n' "$gpus" >&2
    exit 2
fi
name=$(printf '%s' "${gpus%,*}" | tr -c 'A-Za-z0-9.' '_')
capability=$(printf '%s' "${gpus##*, }" | tr -d '.')
tensorrt=$(dpkg-query --showformat='${Version}\n' --show 'libnvinfer[0-9]*' | head -n 1)
[ -n "$tensorrt" ] || { echo "engine_cache.sh: no libnvinfer is installed here" >&2; exit 2; }

folder="$store/$name-sm$capability-tensorrt${tensorrt%%-*}"
mkdir -p "$folder" "$(dirname "$link")"
ln -sfn "$folder" "$link"
echo "engines are kept in $folder"
