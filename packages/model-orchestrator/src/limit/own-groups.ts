import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Finds the folder of the group in which this process is, for one controller. Null in version 2 except in its root: in another
 * group that has processes there can be none below it (cgroups(7), "no internal processes").
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
  /** The part of the hierarchy that is seen there. */
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

/** Null when the mount does not show the group. */
function folderOf({ root, place }: Mount, group: string): string | null {
  if (root === '/') return join(place, group)
  return group === root || group.startsWith(`${root}/`) ? join(place, group.slice(root.length)) : null
}
