#!/bin/sh
# Verifies exported evidence without Sluis: a shell, ssh-keygen and sha256sum, nothing else.   verify-evidence.sh DIR TRUST
# DIR is what `sluis evidence export` wrote. TRUST is your own copy of the parties' keys (an allowed_signers file), which
# you did not get with it. Exit 0: it holds. 1: it does not. 3: it holds, but something of its one transfer is not there.
set -uf
head='' form='{"version""kind""agreement""issuer""audience""number""previous""seen""digest""time""terms""ledger""digest""transfer"'
say() { printf '%s\n' "$*"; }
broken() { say "BROKEN: $*"; exit 1; }
field() { value=${1#*"\"$2\":\""}; value=${value%%\"*}; }
sum() { value=$(sha256sum <"$1") || broken "$1 is not here"; value=${value%% *}; }
signed() { ssh-keygen -Y verify -f "$trust" -I "$3" -n "$2" -s "$1.sig" <"$1" >/dev/null 2>&1 || broken "$1: the signature is not by $3"; }
keep() { case $2 in *[!0-9A-Za-z\ -]*) broken "$file: not in the form of a statement" ;; esac; eval "$1_$transfer=\$2"; }
trust=${2:?TRUST}; case $trust in /*) ;; *) trust=$PWD/$trust ;; esac; cd -- "${1:?DIR}" || exit 1
# 1. The head: by its party, under your copy of its key. The list, the keys and the text that it names are those here.
IFS= read -r head <ledger/head; field "$head" party; party=$value; signed ledger/head head-v2@sluis "$party"
sum ledger/list; list=$value; sum allowed_signers
case $head in *',"signers":"'$value'","list":"'$list'",'*) ;; *) broken "ledger/list or allowed_signers: not what the head names" ;; esac
texts=' '; set +f; for file in agreement-*.toml; do sum "$file"; texts="$texts$value "; done; set -f
field "$head" terms; case $texts in *" $value "*) ;; *) broken "the agreement's text that the head names is not here" ;; esac
field "$head" agreement; agreement=$value one=no count=0 other='' overrides=' ' transfers='' tip_own='' tip_other='' last_own='*' last_other='*' far_own=0 far_other=0
case $head in *'"of":{"transfer":'*) one=yes ;; *'"of":"all"'*) tip_own=0 tip_other=0 ;; esac
# 2. Each statement of the list: its bytes, form and signature; it follows from the one before it and fits the others.
while read -r digest signature _ _ file; do
  printf '%s  %s\n' "$digest" "$file" "$signature" "$file.sig" | sha256sum -c --status 2>/dev/null || broken "$file: other bytes than the head names"
  IFS= read -r said <"$file" && broken "$file: more than one line"
  count=$((count + 1)) before=${said%%,\"body\":*} names='' values='' IFS=,
  for part in $before; do names=$names${part%%:*}; part=${part%\}}; part=${part%\"}; values="$values ${part##*[:\"]}"; done; unset IFS
  case $names$values in "$form"*[!a-z0-9\ -]*) names='' ;; esac; [ "$names" = "$form" ] || broken "$file: not in the form of a statement"
  set -- $values; kind=$2 issuer=$4 number=$6 previous=$7 seen=$8 saw=$9 transfer=${14} body=${said#"$before,\"body\":"} who=own peer=other
  case "$3 $texts" in "$agreement "*" ${11} "*) ;; *) broken "$file: made under another text of the agreement" ;; esac
  [ "$issuer" = "$party" ] || { who=other peer=own; [ "${other:=$issuer}" = "$issuer" ] || broken "$file: by a third party"; }
  signed "$file" statement-v1@sluis "$issuer"; say "good   $issuer $number $kind"
  case $kind:$file in override:*) overrides="$overrides$digest " ;; *:earlier-*) broken "$file: no override" ;; esac; case $file in earlier-*) continue ;; esac
  eval "tip=\$tip_$who last=\$last_$who known=\${said_${peer}_$seen:-\$saw} far=\$far_$peer"; next=$((${tip:-0} + 1))
  case $tip:$number:$previous:$kind$body in :* | *:$next:$last:*) ;; \
    *:'restored{'*'"kept":{"number":'$tip',"digest":"'$last'"},"from":{"number":'$((number - 1))',"digest":"'$previous'"}'*) ;;
    *) [ $one = yes ] && [ "$number" -gt $next ] || broken "$file does not follow: something before it is missing or was changed" ;; esac
  [ "$known" = "$saw" ] || broken "$file: had seen another statement than is here"; [ "$seen" -le "$far" ] || far=$seen
  eval "tip_$who=\$number last_$who=\$digest said_${who}_$number=\$digest far_$peer=\$far kinds=\${kinds_$transfer- }"; [ "$transfer" != null ] || continue
  [ "$kinds" != ' ' ] || transfers="$transfers $transfer"; keep kinds "$kinds$kind "
  case $kinds in *" $kind "*) [ "$kind" = released ] || continue ;; esac; for name in sent ciphertext plaintext upload delivered removed; do eval "$name=\${${name}_$transfer:-*}"; done
  case $kind$body in 'sent{'*'"rehearsal":true,'* | 'released{'*'"driver":"spool"'*) keep mark ' OEFENING' ;; esac
  case $kind$body in
    'sent{'*) keep sent "$digest"; for name in code ciphertext plaintext; do field "$body" $name; keep $name "$value"; done; field "$body" waived
      case $body$overrides in *'"waived":null,'* | *" $value "*) ;; *) broken "$file: the override that it names is not here" ;; esac ;;
    'delivered{"sent":"'$sent'","ciphertext":"'$ciphertext'",'*) keep delivered "$digest"; field "$body" upload; keep upload "$value" ;;
    'removed{"sent":"'$sent'","delivered":"'$delivered'","ciphertext":"'$ciphertext'","upload":"'$upload'",'*',"seen":{"head":410,"get":410,"control":404},'*) keep removed "$digest" ;;
    'released{"removed":"'$removed'",'* | 'opened{"sent":"'$sent'","plaintext":"'$plaintext'",'*) ;;
    'delivered{'* | 'removed{'* | 'released{'* | 'opened{'*) broken "$file: about another envelope, or it was not seen gone" ;;
  esac
done <ledger/list
set +f; set -- ./*.json; [ $# = $count ] || broken "here is a statement that the head does not name"
[ $one = yes ] || { [ "$far_own" -le "${tip_own:-$far_own}" ] && [ "$far_other" -le "${tip_other:-$far_other}" ]; } || broken "a statement that was seen is not here"
# 3. What they prove of each transfer.
for transfer in $transfers; do
  eval "kinds=\$kinds_$transfer name=\${code_$transfer:-$transfer}\${mark_$transfer-}" there='' missing=''
  for kind in sent delivered removed released opened; do case $kinds in *" $kind "*) there="$there $kind" ;; *) missing="$missing $kind" ;; esac; done
  case $kinds in *' withdrawn '* | *' expired '* | *' superseded '* | *' failed '*) missing='' there="$there, ended before it was opened" ;; esac
  say "$name: holds:$there${missing:+, but missing:$missing}"; [ $one = no ] || [ -z "$missing" ] || exit 3
done
