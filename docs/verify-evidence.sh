#!/bin/sh
# Verifies exported evidence without Sluis: ssh-keygen, sha256sum and jq alone.
#
#   verify-evidence.sh DIR TRUST
#
# DIR is what `sluis evidence export` wrote: of one transfer, or (with manifest.json) all that was said under an
# agreement. TRUST is your own copy of the parties' keys (an allowed_signers file), which you did not get with the
# evidence. Exit 0: it holds. 1: it does not. 3: it holds, but something of the one transfer is missing.
set -u
dir=${1:?DIR} trust=${2:?TRUST} run=/dev/null
[ ! -e "$dir/manifest.json" ] || run=$dir/manifest.json

# 1. Every signature, under your copy of the issuer's key.
for file in "$dir"/[0-9]*.json; do
  said=$(jq -r '"\(.issuer) \(.time / 1000 | floor | todate) \(.kind)"' "$file")
  issuer=${said%% *}
  case $issuer in *[!a-z0-9-]* | '') echo "BROKEN: $file: its issuer is no name"; exit 1 ;; esac
  ssh-keygen -Y verify -f "$trust" -I "$issuer" -n statement-v1@sluis -s "$file.sig" <"$file" >/dev/null 2>&1 ||
    { echo "BROKEN: $file: the signature is not by $issuer"; exit 1; }
  echo "good   $said"
done

# 2. With the digests of all statements and of the agreement's texts: that nothing was changed or left out, and what
# it proves of each transfer.
found=$(sha256sum "$dir"/[0-9]*.json "$dir"/agreement*.toml |
  jq -nr --rawfile sums /dev/stdin --slurpfile run "$run" '
  def must(holds; why): if holds then empty else "BROKEN: \(why)" end;
  def same($a; $b; why): must($a == null or $b == null or $a == $b; why);
  def anew($a): .kind == "restored" and .body.kept == {number: $a.number, digest: $a.digest} and .body.from == {number: (.number - 1), digest: .previous};
  def kind($k): map(select(.kind == $k)) | if $k == "released" then .[-1] else .[0] end;
  ($sums | split("\n") | map(select(. != "") | {key: .[66:], value: .[:64]}) | from_entries) as $sum |
  [$sum | to_entries[] | select(.key | endswith(".toml")).value] as $texts |
  [inputs | . + {file: input_filename, digest: $sum[input_filename]}] as $all | ($run == []) as $one |
  ($all | group_by(.issuer) | map(sort_by(.number) | {key: .[0].issuer, value: .})) as $said |
  ($said | from_entries) as $by | ($all | map({key: "\(.issuer) \(.number)", value: .digest}) | from_entries) as $known |
  ($all[] | must(.terms | IN($texts[]); "\(.file): made under another text of the agreement"),
    same($known["\(.audience) \(.seen.number)"]; .seen.digest; "\(.file): had seen another statement than is here"),
    must($one or .seen.number <= ($by[.audience][-1].number // .seen.number); "\(.file): had seen one that is not here")),
  ($said[].value | range(1; length) as $i | .[$i - 1] as $a | .[$i] as $b |
    must($b.number == $a.number + 1 or ($b | anew($a)) or ($one and $b.number > $a.number); "one is missing before \($b.file)"),
    must($b.number != $a.number + 1 or $b.previous == $a.digest; "\($b.file) does not follow from \($a.file)")),
  must($one or $run[0].issuers == ($by | map_values({before: .[0].previous, first: .[0].number, last: .[-1].number}));
    "not all that manifest.json names"),
  must($one == false or ($all | map(.transfer) | unique | length == 1 and .[0] != null); "of more than one transfer"),
  ($all | map(select(.transfer)) | group_by(.transfer)[] | kind("sent") as $sent | kind("delivered") as $delivered |
    kind("removed") as $removed | kind("released") as $released | kind("opened") as $opened |
    (if $one then "" else "\($sent.body.code // .[0].transfer): " end) as $name | map(.kind) as $kinds |
    (["sent", "delivered", "removed", "released", "opened"] - $kinds | join(" ")) as $missing |
    (($delivered, $removed, $opened) | same(.body.sent; $sent.digest; "\(.kind) is about another envelope")),
    (($delivered, $removed) | same(.body.ciphertext; $sent.body.ciphertext; "\(.kind): other bytes")),
    same($removed.body.delivered; $delivered.digest; "removed rests on another delivery"),
    same($removed.body.seen; {head: 410, get: 410, control: 404}; "removed: it was not seen gone"),
    same($released.body.removed; $removed.digest; "the shares left without this removal"),
    same($opened.body.plaintext; $sent.body.plaintext; "what came out is not what went in"),
    if $kinds - ["withdrawn", "expired", "superseded", "failed"] != $kinds then "\($name)holds: ended before it was opened"
    elif $missing == "" then "\($name)holds: sealed, delivered, removed, released after that, opened"
    else "\($name)holds, but missing: \($missing)" end)' "$dir"/[0-9]*.json) || { echo "BROKEN: not evidence"; exit 1; }
echo "$found"
case $found in *BROKEN:*) exit 1 ;; *missing:*) [ "$run" != /dev/null ] || exit 3 ;; esac
