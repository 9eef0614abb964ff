#!/bin/sh
# Draw a picture with nothing but a shell: sh examples/stdio.sh [options of `lora-sidecar serve`]
set -eu
pipes=$(mktemp -d) && trap 'rm -rf "$pipes"' EXIT && mkfifo "$pipes/in" "$pipes/out"
${LORA_SIDECAR:-lora-sidecar} serve --log-level error "$@" <"$pipes/in" >"$pipes/out" &
exec 3>"$pipes/in" 4<"$pipes/out"
ask() { # ask ID METHOD PARAMS: prints the answer, skips the notifications before it
  printf '{"jsonrpc":"2.0","id":%s,"method":"%s","params":%s}\n' "$1" "$2" "$3" >&3
  while IFS= read -r line <&4; do case $line in *'"id":'"$1"[,}]*) echo "$line"; break ;; esac; done
}
style=$(ask 1 list_loras '{}' | sed 's/.*"loras":\[{"name":"\([^"]*\)".*/\1/')
ask 2 load_model '{"model":"starter"}'
ask 3 switch_lora '{"name":"'"$style"'","alpha":0.7}'
ask 4 generate '{"prompt":"red apple","seed":7}' | sed 's/.*"path":"\([^"]*\)".*/picture: \1/'
exec 3>&- && wait
