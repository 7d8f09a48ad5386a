#!/bin/sh
# The event handler for smsd (SMS Server Tools 3.1.17 or newer): tells Sluis what became of each message it sent.
#
# In smsd.conf, with neither `sent` nor `failed`: smsd then keeps no message once it is done.
#   eventhandler = /usr/share/sluis/providers/smsd-report.sh
#   umask = 0077
#   loglevel = 5
#   send_retries = 0
#   [GSM1]
#   incoming = yes
#   report = yes
# At loglevel 7, and in the file of smart_logging, stands all that the modem is told, so the messages too. A second try
# is for Sluis to decide. While it works smsd copies messages to $TMPDIR or /tmp: give its unit PrivateTmp=yes.
#
# $SLUIS_REPORT_URL_FILE holds the URL in one line: mode 0600, of smsd's user. In the folder $SLUIS_REPORT_STATE, of
# smsd's user too, a file "<number at the modem>-<phone>" holds the reference until the last status report, at most
# 7 days. Nothing here prints, keeps or sends a message's text.
set -u
umask 077
url_file=${SLUIS_REPORT_URL_FILE:-/etc/sluis/smsd-report.url}
states=${SLUIS_REPORT_STATE:-/var/lib/sluis-smsd}
event=${1-} file=${2-} id=${3-}

# A field of a message's head, which the first empty line ends, or of a status report, which has no text.
head_field() { sed -n "1,/^\$/s/^$1: *//p" "$file" | head -n 1; }
field() { sed -n "s/^$1: *//p" "$file" | head -n 1; }
digits() { tr -cd 0-9 | cut -c 1-20; }

report() { # STATE CODE; curl reads the URL from its standard input: everyone may see arguments
  url='' && [ -z "$(find -H "$url_file" -perm /077)" ] && IFS= read -r url <"$url_file"
  case $url in *[\"\\[:space:]]*) url='' ;; http://* | https://*) ;; *) url='' ;; esac
  [ -n "$url" ] || { echo "$url_file is not one URL, or not of mode 0600" >&2; return 1; }
  printf 'url = "%s"\ndata = "reference=%s&state=%s&code=%s"\n' "$url" "$reference" "$1" "$2" |
    curl -q -sf -o /dev/null --connect-timeout 3 --max-time 5 --retry 3 --retry-connrefused --retry-max-time 12 -K - ||
    { echo "the report $1 of $reference did not arrive" >&2; return 1; }
}

reference=${file##*/}
if [ "$event" = REPORT ]; then
  state="$states/$(field Message_id | digits)-$(head_field From | digits)"
  reference='' && [ -f "$state" ] && IFS= read -r reference <"$state"
fi
case $reference in *[!0-9a-f-]*) exit 0 ;; esac
printf '%s\n' "$reference" | grep -Eqx '[0-9a-f]{32}-([1-9]|1[0-6])' || exit 0

case $event in
SENT) # The file goes at once: a message that smsd finds after a crash is sent again.
  mkdir -p "$states" && find "$states" -type f -name '[0-9]*-[0-9]*' -mmin +10080 -exec rm -f {} +
  id=$(printf %s "$id" | digits) to=$(head_field To | digits)
  [ -z "$id" ] || printf '%s\n' "$reference" >"$states/$id-$to"
  rm -f "$file" && report SENT '' ;;
FAILED)
  reason=$(head_field Fail_reason | sed 's/.*CM\([SE]\) ERROR: *\([0-9][0-9]*\).*/CM\1-\2/')
  rm -f "$file" && report FAILED "$(printf %s "$reason" | tr -c A-Za-z0-9._- - | cut -c 1-40)" ;;
REPORT) # Below 32: it arrived. From 64: it will not. Between them the centre still tries.
  status=$(field Status | sed 's/,.*//' | digits | cut -c 1-3)
  [ -n "$status" ] || exit 0
  said='' && [ "$status" -ge 32 ] || said=DELIVERED && [ "$status" -lt 64 ] || said=UNDELIVERED
  [ -z "$said" ] || { report "$said" "$status" && rm -f "$state"; } && rm -f "$file" ;;
esac
