import { readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { whenMissing } from '@crunch/local-processes'

/** A command with its arguments. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
}

/** `$1` lists the folders of the groups, `$2` says whether joining them is required, the rest is the program. */
const ENTER = `
IFS='
'
set -f
for group in $1; do
  if [ "$2" = required ]; then echo 0 >"$group/cgroup.procs" || exit 125
  else { echo 0 >"$group/cgroup.procs"; } 2>/dev/null; fi
done
unset IFS PWD OLDPWD SHLVL
shift 2
exec "$@"
`

/** Returns a program that joins the groups and then executes `program`. If they are required, it fails when it cannot join. */
export function enterGroups(
  folders: readonly string[],
  need: 'required' | 'optional',
  { command, args }: Program,
): Program {
  if (folders.length === 0) return { command, args }
  return { command: '/bin/sh', args: ['-c', ENTER, 'enter', folders.join('\n'), need, command, ...args] }
}

/**
 * Finds the folder of this process's group for one controller. In version 2 the result is null unless that group is the
 * root: any other group that contains processes cannot have child groups (cgroups(7), "no internal processes").
 */
export function readOwnGroups(system: string): { find(controller: string): string | null } {
  const own = readFileSync(join(system, 'cgroup'), 'utf8')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const mounts = readFileSync(join(system, 'mountinfo'), 'utf8').split('\n').map(parseMount)
  const groupOf = (isController: (names: string) => boolean) =>
    own.find((match) => isController(match?.[1] ?? '-'))?.[2]
  return {
    find(controller) {
      const first = mounts.find((mount) => mount?.kind === 'cgroup' && mount.options.includes(controller))
      const firstGroup = groupOf((names) => names.split(',').includes(controller))
      if (first && firstGroup !== undefined) return folderOf(first, firstGroup)
      const second = mounts.find((mount) => mount?.kind === 'cgroup2')
      return second && groupOf((names) => names === '') === '/' ? second.place : null
    },
  }
}

interface Mount {
  /** The part of the hierarchy that is mounted. */
  readonly root: string
  readonly place: string
  readonly kind: string
  readonly options: readonly string[]
}

/** One line of proc_pid_mountinfo(5). */
function parseMount(line: string): Mount | null {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, place] = before.split(' ')
  const [kind, , options] = after.split(' ')
  if (root === undefined || place === undefined || kind === undefined || options === undefined) return null
  return { root, place, kind, options: options.split(',') }
}

/** Null if the group is outside the mounted part. */
function folderOf({ root, place }: Mount, group: string): string | null {
  if (root === '/') return join(place, group)
  return group === root || group.startsWith(`${root}/`) ? join(place, group.slice(root.length)) : null
}

/** Removes a group. One that is gone, or still has processes or groups, is left as it is. */
export function removeGroup(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    whenMissing(undefined, ['ENOENT', 'ENOTDIR', 'EBUSY', 'ENOTEMPTY'])(error)
  }
}
