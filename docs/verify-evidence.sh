#!/bin/sh
# Verifies exported evidence without Sluis: a shell, ssh-keygen and sha256sum, nothing else.   verify-evidence.sh DIR TRUST
# DIR is what `sluis evidence export` wrote. TRUST, the parties' keys (an allowed_signers file), and this script are your own
# copies: not those in DIR. Exit 0: it holds. 1: it does not. 3: it holds, but something of its one transfer is not there.
set -uf; export LC_ALL=C; zeros=0000000000000000000000000000000000000000000000000000000000000000
say() { printf '%s\n' "$*"; }; broken() { say "BROKEN: $*"; exit 1; }
hex() { case $1 in *[!0-9a-f]*) return 1 ;; esac; [ ${#1} = "$2" ]; }; count() { case $1 in '' | 0?* | *[!0-9]*) return 1 ;; esac; [ ${#1} -le 15 ]; }; sum() { plain "$1"; value=$(sha256sum <"$1"); value=${value%% *}; }
plain() { case $1 in *[!0-9a-z./_-]*) broken "a file has a strange name" ;; esac; [ -f "$1" ] && [ ! -h "$1" ] || broken "$1 is not here"; }
field() { value=${1#*"\"$2\":\""}; value=${value%%\"*}; case $value in '' | *[!0-9A-Za-z-]*) broken "${file:-ledger/head}: no $2" ;; esac; }
signed() { ssh-keygen -Y verify -f "$trust" -I "$3" -n "$2" -s "$1.sig" <"$1" >/dev/null 2>&1 || broken "$1: the signature is not by $3"; }; keep() { eval "$1_$transfer=\$2"; }
case ${2:?TRUST} in /*) trust=$2 ;; *) trust=$PWD/$2 ;; esac; case ${1:?DIR} in /*) ;; *) set -- "./$1" ;; esac; CDPATH='' cd -- "$1" || exit 1
# 1. The head: by its party, under your copy of its key. The list, the keys and the text that it names are those here.
plain ledger/head; plain ledger/head.sig; head=''; IFS= read -r head <ledger/head && broken "ledger/head: more than one line"
for name in agreement party agency municipality terms signers list; do field "$head" $name; eval "$name=\$value"; done
of=${head#*'"of":'} named=" $terms "; of=${of%%,*}; one=${of#'{"transfer":"'}; [ "$of" != "$one" ] || one=''; one=${one%'"}'}
case $head in '{"agreement":"'$agreement'","party":"'$party'","agency":"'$agency'","municipality":"'$municipality'","of":'"$of"',"terms":"'$terms'","signers":"'$signers'","list":"'$list'","ledger":{'*) ;; *) broken "ledger/head: not in its form" ;; esac
case $party in "$agency" | "$municipality") ;; *) broken "ledger/head: by a third party" ;; esac; signed ledger/head head-v2@sluis "$party"
sum ledger/list; [ "$value" = "$list" ] || broken "ledger/list: not what the head names"; sum allowed_signers; [ "$value" = "$signers" ] || broken "allowed_signers: not what the head names"
set +f; texts=' '; for file in agreement*.toml; do sum "$file"; texts="$texts$value "; done; case $texts in *"$named"*) ;; *) broken "the agreement's text that the head names is not here" ;; esac
set -f; place_=0 place_earlier=0 overrides=' ' transfers='' start='' tip_a='' tip_m='' first_a='' first_m='' far_a=0 far_m=0 said_a_0=$zeros said_m_0=$zeros; [ "$of" != '"all"' ] || tip_a=0 tip_m=0 first_a=1 first_m=1
# 2. Each statement of the list: its bytes, form and signature; it follows from the one before it and fits the others.
while IFS= read -r line; do
  set -- $line; [ $# = 5 ] && [ "$line" = "$*" ] && hex "$1" 64 && hex "$2" 64 && count "$3" || broken "ledger/list: not in its form"; digest=$1 file=$5
  case $4:$file in *:*/* | *:.*) broken "ledger/list: not in its form" ;; effect:* | void:*) ;; *) broken "ledger/list: not in its form" ;; esac; plain "$file"; IFS= read -r said <"$file" && broken "$file: more than one line"
  sum "$file.sig"; [ "$value" = "$2" ] || broken "$file.sig: other bytes than the head names"; value=$(printf %s "$said" | sha256sum); [ "${value%% *}" = "$digest" ] || broken "$file: other bytes than the head names"
  before=${said%%,\"body\":*} body=${said#*,\"body\":} values='' IFS=,; for part in $before; do part=${part%\}}; part=${part%\"}; values="$values ${part##*[:\"]}"; done; unset IFS; case $values in *[!a-z0-9\ -]*) values='' ;; esac
  set -- $values; [ $# = 14 ] && hex "$7" 64 && hex "$9" 64 && hex "${11}" 64 && count "$6" && count "$8" && [ "$6" != 0 ] || broken "$file: not in the form of a statement"
  kind=$2 issuer=$4 number=$6 previous=$7 seen=$8 saw=$9 transfer=${14} about=\"${14}\" body=${body%\}}; [ "$transfer" != null ] || about=null; [ $about = null ] || hex "$transfer" 32 || broken "$file: no transfer"
  case $said in '{"version":1,"kind":"'$kind'","agreement":"'$agreement'","issuer":"'$issuer'","audience":"'$5'","number":'$number',"previous":"'$previous'","seen":{"number":'$seen',"digest":"'$saw'"},"time":'${10}',"terms":"'${11}'","ledger":{"number":'${12}',"digest":"'${13}'"},"transfer":'$about',"body":{'*'}}') ;; *) broken "$file: not in the form of a statement" ;; esac
  case $texts in *" ${11} "*) ;; *) broken "$file: made under another text of the agreement" ;; esac; case $named in *" ${11} "*) ;; *) named="$named${11} " ;; esac
  case $issuer:$5 in "$agency:$municipality") who=a peer=m ;; "$municipality:$agency") who=m peer=a ;; *) broken "$file: by or for a third party" ;; esac; signed "$file" statement-v1@sluis "$issuer"
  case $file in earlier-*) early=earlier ;; *) early='' ;; esac; at=$((place_$early + 1)); eval "place_$early=$at"; [ "$file" = "${early:+$early-}$(printf '%04d-%s-%04d' $at "$issuer" "$number")-$kind.json" ] || broken "$file: its name is not what is in it"
  case $who:$kind in m:sent | m:probed | m:released | m:closed | m:withdrawn | m:expired | m:superseded | m:override | a:delivered | a:removed | a:ready | a:share-accepted | a:opened | a:destroyed) mute='void, not theirs to say:' ;; *) mute='' ;; esac
  say "${mute:-good  } $issuer $number $kind"; case $mute$kind in override) overrides="$overrides$digest " ;; *) [ -z "$early" ] || broken "$file: no override" ;; esac; [ -z "$early" ] || continue
  [ "${one:-$transfer}" = "$transfer" ] || broken "$file: about another transfer than the head names"; eval "tip=\$tip_$who last=\${last_$who-$zeros} first=\${first_$who:-$number} far=\$far_$peer"; [ -n "$tip" ] || { tip=$((number - 1)); [ $tip = 0 ] || last=$previous; }
  case $number:$previous:$kind$body in $((tip + 1)):$last:*) ;; \
    "$number:$previous:"'restored{"epoch":'*',"kept":{"number":'$tip',"digest":"'$last'"},"from":{"number":'$((number - 1))',"digest":"'$previous'"}'*) [ "$number" -gt "$tip" ] || broken "$file goes back" ;;
    *) [ -n "$one" ] && [ "$number" -gt $((tip + 1)) ] || broken "$file does not follow: something before it is missing or was changed" ;; esac
  [ "$seen" -le "$far" ] || far=$seen; [ "$issuer" != "$party" ] || start=${start:-$seen}; eval "file_$at=\$file look_$at=${peer}_$seen saw_$at=\$saw far_$peer=\$far said_${who}_$((number - 1))=\$previous said_${who}_$number=\$digest tip_$who=\$number last_$who=\$digest first_$who=\$first"
  case $mute$transfer in null | void*) continue ;; esac; eval "kinds=\${kinds_$transfer-} loose=\${loose_$transfer-}"; [ -n "$kinds" ] || { transfers="$transfers $transfer" kinds=' '; keep kinds "$kinds"; }
  case $kinds in *" $kind "*) [ "$kind" = released ] || continue ;; esac; case $kind in delivered | opened) base=sent ;; removed) base=delivered ;; released) base=removed ;; failed) [ $who = a ] || continue; base='' ;; *) base='' ;; esac
  case $base:$kinds in :* | *" $base "*) ;; *) keep loose yes; continue ;; esac; case $loose$kind in yessent | yesdelivered | yesremoved) broken "$file: stands after what rests on it" ;; esac
  keep kinds "$kinds$kind "; for name in sent ciphertext plaintext upload delivered removed; do eval "$name=\${${name}_$transfer-}"; done; case $kind$body in 'sent{'*'"rehearsal":true,'* | 'released{'*'"driver":"spool"'*) keep mark 'OEFENING ' ;; esac
  case $kind$body in
    'sent{'*) keep sent "$digest"; for name in code ciphertext plaintext; do field "$body" $name; keep $name "$value"; done; case $body in *'"waived":null,'*) ;; *) field "$body" waived; case $overrides in *" $value "*) ;; *) broken "$file: the override that it names is not here" ;; esac ;; esac ;;
    'delivered{"sent":"'$sent'","ciphertext":"'$ciphertext'",'*) keep delivered "$digest"; field "$body" upload; keep upload "$value" ;;
    'removed{"sent":"'$sent'","delivered":"'$delivered'","ciphertext":"'$ciphertext'","upload":"'$upload'",'*',"seen":{"head":410,"get":410,"control":404},'*) keep removed "$digest" ;;
    'released{"removed":"'$removed'",'* | 'opened{"sent":"'$sent'","plaintext":"'$plaintext'",'*) ;;
    'delivered{'* | 'removed{'* | 'released{'* | 'opened{'*) broken "$file: about another envelope, or it was not seen gone" ;; esac
done <ledger/list; [ -z "$line" ] || broken "ledger/list: not in its form"; set +f; set -- ./*.json ./.*.json; set -f; case $#:$* in 1:*) broken "nothing is here" ;; $((place_ + place_earlier + 1)):*" ./.*.json") ;; *) broken "here is a statement that the head does not name" ;; esac
for value in $texts; do case $named in *" $value "*) ;; *) broken "here is a text of the agreement that neither the head nor a statement names" ;; esac; done
at=0; while [ $at -lt $place_ ]; do at=$((at + 1)); eval "file=\$file_$at saw=\$saw_$at look=\$look_$at"; eval "known=\${said_$look-$saw}"; [ "$known" = "$saw" ] || broken "$file: had seen another statement than is here"; done
[ -n "$one" ] || for who in a:$agency m:$municipality; do eval "tip=\$tip_${who%%:*} first=\$first_${who%%:*} far=\$far_${who%%:*}"; from=$start; [ "${who#*:}" != "$party" ] || from=''
  [ "$far" -le "${tip:-${from:-$far}}" ] && [ "${first:-0}" -le $((${from:-${first:-0}} + 1)) ] || broken "a statement of ${who#*:} that was seen is not here"; [ "${tip:-0}" = 0 ] || say "${who#*:}: from number $first to $tip"; done
# 3. What they prove of each transfer.
for transfer in $transfers; do
  eval "kinds=\$kinds_$transfer name=\${mark_$transfer-}\${code_$transfer:-$transfer}" there='' missing=''; for kind in sent delivered removed released opened; do case $kinds in *" $kind "*) there="$there $kind" ;; *) missing="$missing $kind" ;; esac; done
  case $kinds in *' opened '*) ;; *' withdrawn '* | *' expired '* | *' superseded '* | *' failed '*) there="$there, ended before it was opened"; case $missing in ' sent'*) missing=' sent' ;; *) missing='' ;; esac ;; esac
  say "$name: holds:$there${missing:+, but missing:$missing}"; [ -z "$one" ] || [ -z "$missing" ] || exit 3
done; others=''; for file in report.nl.html report.en.html verify.sh; do [ ! -e $file ] || others="$others, $file"; done; [ -z "$others" ] || say "not verified: ${others#, }; signed by nobody"; [ -z "$one" ] || [ -n "$transfers" ] || { say "of the transfer $one nothing is here"; exit 3; }
