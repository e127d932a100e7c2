import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes the command's words in a shell; it is made from the command itself and names no files. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    text: command.description(),
    options: command.options.map(({ long, description }) => ({ long: long ?? '', text: description })),
  }));
  const names = commands.map(({ name }) => name).join(' ');
  if (shell === 'fish') {
    return commands
      .flatMap(({ name, text, options }) => [
        `complete -c nimue -n __fish_use_subcommand -a ${name} -d ${quote(text)}`,
        ...options.map(
          ({ long, text: what }) =>
            `complete -c nimue -n '__fish_seen_subcommand_from ${name}' -l ${long.slice(2)} -d ${quote(what)}`,
        ),
      ])
      .concat('')
      .join('\n');
  }
  const cases = commands
    .map(({ name, options }) => `    ${name}) words="${options.map(({ long }) => long).join(' ')}" ;;`)
    .join('\n');
  const bash = `_nimue() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names}"; fi
  if [[ "$COMP_CWORD" -gt 1 && "$current" != -* ]]; then COMPREPLY=( $(compgen -f -- "$current") )
  else COMPREPLY=( $(compgen -W "$words" -- "$current") ); fi
}
complete -o filenames -F _nimue nimue
`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
