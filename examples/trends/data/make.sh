#!/bin/sh
# Makes cdnow.csv.gz from the PyPI package lifetimes 0.11.3. Needs pip and unzip.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip download --quiet --no-deps --only-binary :all: -d "$work" lifetimes==0.11.3
unzip -q -p "$work"/*.whl lifetimes/datasets/CDNOW_master.txt >"$work/master.txt"
echo "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef  $work/master.txt" | sha256sum --check --quiet
awk 'BEGIN { OFS = ","; print "customer,date,cds,dollars" }
     { sub(/\r$/, "") }
     NR > 1 { print $1, substr($2,1,4) "-" substr($2,5,2) "-" substr($2,7,2), $3, $4 }' "$work/master.txt" |
	gzip -9 -n >"$here/cdnow.csv.gz"
