# Prints a signed submission of one meter reading as JSON, for grpcurl. It needs bash, xxd and
# OpenSSL 3 only: docs/integrators.md, "Hash and sign a submission, step by step".
#
#   bash submission.sh DIRECTORY METER START WH
#
# DIRECTORY is that of a participant, as 'bss init' writes it; START the start of an hour, such as
# 2025-11-01T05:00:00Z. Keep what it prints until the receipt is there: each run draws a new salt.
set -euo pipefail
directory=$1 meter=$2 start=$(date -ud "$3" +%s) wh=$4
owner=$(basename "$directory")

# Bytes are hex from here on.
varint() {
  local n=$1
  while ((n >= 128)); do printf %02x $((n % 128 + 128)) && n=$((n / 128)); done
  printf %02x "$n"
}
text() { printf %s "$1" | xxd -p -c 256; }
field() { printf %s%s%s "$1" "$(varint $((${#2} / 2)))" "$2"; } # tag, bytes
sha256() { xxd -r -p <<<"$1" | sha256sum | cut -c1-64; }
base64_of() { xxd -r -p <<<"$1" | base64 -w0; }

consortium=$(sha256sum "$directory/../../genesis.json" | cut -c1-64)
reading=$(field 0a "$(text "$meter")")10$(varint "$start")18$(varint 3600)20$(varint "$wh")
time=$(varint $(((start + 3600) * 1000)))
record=$(field 0a "$(text "$owner")")$(field 12 "$(openssl rand -hex 16)")18$time$(field 52 "$reading")
hash=$(sha256 "$(text bss/v1/record)$consortium$record")
header=$(field 0a "$consortium")$(field 12 "$(text "$owner")")$(field 1a "$hash")

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
xxd -r -p <<<"302e020100300506032b657004220420$(cat "$directory/signing.key")" |
  openssl pkey -inform DER -out "$work/key.pem"
xxd -r -p <<<"$(sha256 "$(text bss/v1/submission)$header")" >"$work/digest"
signature=$(openssl pkeyutl -sign -rawin -inkey "$work/key.pem" -in "$work/digest" | base64 -w0)

echo "the record's hash is $hash" >&2
printf '{"submission": {"header": "%s", "signature": "%s", "records": ["%s"]}}\n' \
  "$(base64_of "$header")" "$signature" "$(base64_of "$record")"
