/**
 * In place of the script that tab has for bash: that one calls functions of the package bash-completion, which many do
 * without, and says at each further `source` that what it declares is there already.
 */
export const bashCompletion = `# bash completion for keepalive
__keepalive_complete() {
    local word line words=()
    # Bash takes --output=json apart; to the tool these are two words as well.
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            # Not the names of files.
            :4) compopt +o default 2> /dev/null ;;
            :*) ;;
            *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
        esac
    done < <(keepalive complete -- "\${words[@]}" "$2" 2> /dev/null)
}
complete -o default -F __keepalive_complete keepalive
`;
