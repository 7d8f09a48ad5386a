#!/bin/sh
# Verifies exported evidence without Sluis: ssh-keygen, sha256sum and jq alone.
#
#   verify-evidence.sh DIR TRUST
#
# DIR is what `sluis evidence export` wrote. TRUST is your own copy of the parties' keys (an allowed_signers
# file), which you did not get with the evidence. Exit 0: it holds. 1: it does not. 3: it holds, but something is
# missing.
set -u
dir=${1:?DIR} trust=${2:?TRUST}
broken() { echo "BROKEN: $*"; exit 1; }
digest() { sha256sum "$1" | cut -d' ' -f1; }
# The first statement of a kind (the last of `released`: shares may have been sent again).
of() {
  for file in "$dir"/*-"$1".json; do [ -e "$file" ] || return 1; last=$file; [ "$1" = released ] || break; done
  echo "$last"
}
field() { jq -r ".$2" "$1"; }
same() { [ "$1" = "$2" ] || broken "$3"; }

# 1. Every signature, under your copy of the issuer's key.
for file in "$dir"/*.json; do
  issuer=$(field "$file" issuer)
  case $issuer in *[!a-z0-9-]* | '') broken "$file: its issuer is no name" ;; esac
  ssh-keygen -Y verify -f "$trust" -I "$issuer" -n statement-v1@sluis -s "$file.sig" <"$file" >/dev/null 2>&1 ||
    broken "$file: the signature is not by $issuer"
  echo "good   $(field "$file" time | cut -c1-10 | xargs -I{} date -u -d @{} +%FT%TZ)  $issuer  $(field "$file" kind)"
done

# 2. One transfer under one text of the agreement.
same "$(jq -rs 'map(.transfer) | unique | length' "$dir"/*.json)" 1 "statements of more than one transfer"
same "$(jq -rs 'map(.terms) | unique | .[]' "$dir"/*.json)" "$(digest "$dir/agreement.toml")" "another agreement"

# 3. Each statement follows from the one before it that is here, by number and digest.
for file in "$dir"/*.json; do
  for next in "$dir"/*.json; do
    [ "$(field "$next" issuer)" = "$(field "$file" issuer)" ] || continue
    [ "$(field "$next" number)" = "$(($(field "$file" number) + 1))" ] || continue
    same "$(field "$next" previous)" "$(digest "$file")" "$next does not follow from $file"
  done
done

# 4. What the statements say fits together.
missing=""
for kind in sent delivered removed released opened; do of "$kind" >/dev/null || missing="$missing $kind"; done
sent=$(of sent) || { echo "missing:$missing"; exit 3; }
for kind in delivered removed opened; do
  file=$(of "$kind") && same "$(field "$file" body.sent)" "$(digest "$sent")" "$kind is about another envelope"
done
for kind in delivered removed; do
  file=$(of "$kind") && same "$(field "$file" body.ciphertext)" "$(field "$sent" body.ciphertext)" "$kind: other bytes"
done
if removed=$(of removed); then
  same "$(field "$removed" body.delivered)" "$(digest "$(of delivered)")" "removed rests on another delivery"
  same "$(jq -c '.body.seen' "$removed")" '{"head":410,"get":410,"control":404}' "removed: it was not seen gone"
  file=$(of released) && same "$(field "$file" body.removed)" "$(digest "$removed")" "the shares left without this removal"
fi
file=$(of opened) && same "$(field "$file" body.plaintext)" "$(field "$sent" body.plaintext)" "what came out is not what went in"
[ -z "$missing" ] || { echo "holds, but missing:$missing"; exit 3; }
echo "holds: sealed, delivered, removed, released after that, opened"
