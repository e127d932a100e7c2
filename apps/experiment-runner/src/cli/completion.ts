import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can stand in a place: some words, or paths of a kind. */
type Values = { readonly words: readonly string[] } | { readonly paths: 'yaml' | 'folder' | 'file' };

interface Place {
  /** `data describe` */
  readonly path: string;
  readonly text: string;
  readonly subcommands: readonly { readonly name: string; readonly text: string }[];
  readonly options: readonly { readonly long: string; readonly text: string; readonly takes?: Values | 'anything' }[];
  readonly argument?: Values;
}

/** A script that completes commands, options, their values and files in a shell; it is made from the command itself. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, '');
  if (shell === 'fish') return fishScript(places);
  const bash = bashScript(places);
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

function placesOf(command: Command, path: string): Place[] {
  const visible = command.commands.filter((child) => !(child as { _hidden?: boolean })._hidden);
  const [argument] = command.registeredArguments.map(valuesOf);
  const place: Place = {
    path,
    text: command.description(),
    subcommands: visible.map((child) => ({ name: child.name(), text: child.description() })),
    options: [
      ...command.options.map((option) => ({
        long: option.long ?? '',
        text: option.description,
        ...((option.required || option.optional) && { takes: valuesOf(option) ?? ('anything' as const) }),
      })),
      { long: '--help', text: 'what the command does, and its options' },
    ],
    ...(argument && { argument }),
  };
  return [place, ...visible.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()))];
}

/** By the choices that are declared, or by the name in angle brackets. */
function valuesOf(what: Option | Argument): Values | undefined {
  if (what.argChoices) return { words: what.argChoices };
  const name = 'flags' in what ? (/[<[]([^>\]]+)[>\]]/.exec(what.flags)?.[1] ?? '') : what.name();
  if (name === 'files') return { paths: 'yaml' };
  if (name === 'folder' || name === 'run') return { paths: 'folder' };
  if (name === 'file' || name === 'log') return { paths: 'file' };
  return undefined;
}

/** For bash 3.2 and newer, which macOS has, and for zsh, which reads the same. */
function bashScript(places: readonly Place[]): string {
  const nested = places.filter(({ path }) => path.includes(' '));
  const words = places.map(
    ({ path, subcommands, options }) =>
      `    "${path}") words="${[...subcommands.map(({ name }) => name), ...options.map(({ long }) => long)].join(' ')}" ;;`,
  );
  const values = places.flatMap(({ path, options, argument }) => [
    ...options.flatMap(({ long, takes }) => (takes ? [`    "${path} ${long}") ${assignment(takes)} ;;`] : [])),
    ...(argument ? [`    "${path}") ${assignment(argument)} ;;`] : []),
  ]);
  return `_nimue() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" words="" values="" paths="" place=""
  if [ "$COMP_CWORD" -gt 1 ]; then command="\${COMP_WORDS[1]}"; fi
  if [ "$COMP_CWORD" -gt 2 ]; then
    case "$command \${COMP_WORDS[2]}" in
      ${nested.map(({ path }) => `"${path}"`).join('|')}) command="$command \${COMP_WORDS[2]}" ;;
    esac
  fi
  case "$command" in
${words.join('\n')}
  esac
  place="$command"
  case "$previous" in --*) place="$command $previous" ;; esac
  _nimue_values "$place"
  if [ -z "$values$paths" ]; then
    # The word before was an option that takes nothing.
    _nimue_values "$command"
  fi
  COMPREPLY=()
  if [ "$values" = "*" ]; then return; fi
  case "$current" in
    -*) COMPREPLY=( $(compgen -W "$words" -- "$current") ) ;;
    *)
      if [ -n "$values" ]; then COMPREPLY=( $(compgen -W "$values" -- "$current") )
      elif [ "$paths" = folder ]; then COMPREPLY=( $(compgen -d -- "$current") )
      elif [ "$paths" = yaml ]; then
        COMPREPLY=( $(compgen -f -X '!*.y*ml' -- "$current") $(compgen -d -- "$current") )
      elif [ "$paths" = file ]; then COMPREPLY=( $(compgen -f -- "$current") )
      else COMPREPLY=( $(compgen -W "$words" -- "$current") ); fi ;;
  esac
}
_nimue_values() {
  case "$1" in
${values.join('\n')}
  esac
}
complete -o filenames -F _nimue nimue
`;
}

/** `*`: anything, of which a shell knows nothing. */
function assignment(values: Values | 'anything'): string {
  if (values === 'anything') return 'values="*"';
  return 'words' in values ? `values="${values.words.join(' ')}"` : `paths=${values.paths}`;
}

function fishScript(places: readonly Place[]): string {
  return places
    .flatMap(({ path, subcommands, options, argument }) => {
      const [command, nested] = path.split(' ');
      const within = [
        ...(command ? [`__fish_seen_subcommand_from ${command}`] : ['__fish_use_subcommand']),
        ...(nested ? [`__fish_seen_subcommand_from ${nested}`] : []),
        ...(command && subcommands.length > 0
          ? [`not __fish_seen_subcommand_from ${subcommands.map(({ name }) => name).join(' ')}`]
          : []),
      ].join('; and ');
      const start = `complete -c nimue -n ${quote(within)}`;
      return [
        ...subcommands.map(({ name, text }) => `${start} -f -a ${name} -d ${quote(text)}`),
        ...options.map(({ long, text, takes }) => `${start} -l ${long.slice(2)}${fishValues(takes)} -d ${quote(text)}`),
        ...(argument ? [`${start} ${fishArgument(argument)}`] : []),
      ];
    })
    .concat('')
    .join('\n');
}

function fishValues(values: Values | 'anything' | undefined): string {
  if (values === undefined) return '';
  if (values === 'anything') return ' -x';
  if ('words' in values) return ` -x -a ${quote(values.words.join(' '))}`;
  return values.paths === 'folder' ? " -x -a '(__fish_complete_directories)'" : ' -r -F';
}

function fishArgument(values: Values): string {
  if ('words' in values) return `-f -a ${quote(values.words.join(' '))}`;
  if (values.paths === 'folder') return "-f -a '(__fish_complete_directories)'";
  return values.paths === 'yaml' ? "-f -a '(__fish_complete_suffix .yaml)'" : '-F';
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
