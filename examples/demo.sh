#!/bin/sh
# From nothing to masks: `make demo` runs this. Every line is a command that a user would type.
set -eu
cd "$(dirname "$0")/.."
demo=.demo
rm -rf "$demo"
dataset=$demo/raw/Dataset901_SampleFundus

vit_cli sample-dataset "$demo/raw"
vit_cli train --config examples/fundus_demo.yaml --device cpu
vit_cli predict -i "$dataset/imagesTs" -o "$demo/masks" --model "$demo"/results/*/*__2d --device cpu
vit_cli evaluate -p "$demo/masks" -r "$dataset/labelsTs" -i "$dataset/imagesTs" --overlays "$demo/overlays"
echo "Look at the pictures in $demo/overlays: image, truth, prediction."
