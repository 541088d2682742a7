import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { holds, type VisiblePaths } from './visible-paths.ts'

/** The system paths that programs and their libraries need; no other path exists for a confined program. */
const SYSTEM = [
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store'],
  ...['/etc/alternatives', '/etc/ca-certificates', '/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d'],
  ...['/etc/group', '/etc/localtime', '/etc/mime.types', '/etc/nsswitch.conf', '/etc/os-release', '/etc/passwd'],
  ...['/etc/pki/ca-trust', '/etc/pki/tls/certs', '/etc/protocols', '/etc/services', '/etc/ssl/certs'],
  ...['/etc/ssl/openssl.cnf', '/etc/timezone'],
]
/** Needed by programs with a network. */
const NETWORK_SYSTEM = ['/etc/hosts', '/etc/resolv.conf', '/etc/host.conf', '/etc/gai.conf']
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom']

/** The only folder a model may write to; it is in memory. */
export const WRITABLE_FOLDER = '/tmp'

/** What one confined program sees and may use. */
export interface NamespacePlan {
  readonly visible: VisiblePaths
  /** Writable folders that it shares with the orchestrator. */
  readonly writable: readonly string[]
  /** An empty folder that becomes the root. */
  readonly root: string
  readonly directory: string
  readonly hasNetwork: boolean
  /** A program that enables the loopback interface; empty if there is none. */
  readonly loopback: readonly string[]
  /** Total size limit of System V segments; null for no limit. */
  readonly segmentPages: number | null
  readonly folderMib: number
  readonly limits: readonly string[]
}

/**
 * Runs as the first process of the new namespaces: mounts the table, makes it the root, drops every privilege, and
 * stays as the parent that adopts the program's orphans. The shell's own messages about a killed child are dropped. `$1` root,
 * `$2` table, `$3` folders and `$4` files to mount on, `$5` links, `$6` working directory, `$7` limits, `$8` options of the
 * writable folder, `$9` a program that enables loopback, `$10` the pages of System V segments.
 */
const INIT = `
fail() { echo "the confinement cannot be set up: $1" >&2; exit 125; }
root=$1 table=$2 folders=$3 files=$4 links=$5 directory=$6 limits=$7 folder=$8 loopback=$9 path=$PATH
shift 9
segments=$1
shift
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
IFS='
'
set -f
umask 022
echo 1000 2>/dev/null >/proc/self/oom_score_adj
mount -t tmpfs -o size=4m,mode=755,nosuid,nodev tmpfs "$root" || fail 'no tmpfs'
cd "$root" && mkdir tmp && mount -t tmpfs -o "$folder" tmpfs "$root/tmp" || fail 'no writable folder'
mkdir -p $folders || fail 'no folders'
for file in $files; do : >"$file" || fail "no $file"; done
for link in $links; do ln -s "\${link#* }" "\${link%% *}" || fail "no link $link"; done
printf '%s\\n' "$table" >mounts
mount --all --fstab mounts || fail 'a mount is refused'
rm mounts
mkdir tmp/shm && mount --bind tmp/shm dev/shm || fail 'no /dev/shm'
echo 0 >/proc/sys/user/max_user_namespaces || fail 'nested namespaces cannot be forbidden'
[ -z "$segments" ] || echo "$segments" >/proc/sys/kernel/shmall || fail 'System V segments cannot be limited'
mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc" || fail '/proc cannot be protected'
pivot_root . . && umount -l . && cd / || fail 'the root cannot be changed'
mount -o remount,bind,ro,nosuid,nodev / || fail 'the root cannot be protected'
[ -z "$loopback" ] || $loopback || fail 'no loopback interface'
cd "$directory" || fail "no $directory"
unset PWD OLDPWD
exec prlimit $limits setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
  /bin/sh -c 'PATH=$1; shift; exec 3>&2 2>/dev/null; ("$@" 2>&3 3>&-); exit $?' init "$path" "$@"
`

/** Returns the program that runs `command` in its own namespaces. Killing it ends every process in them. */
export function namespaceCommand(plan: NamespacePlan, command: string, args: readonly string[]) {
  const network = plan.hasNetwork ? [] : ['--net']
  const kinds = ['--user', '--map-root-user', '--mount', '--pid', '--ipc', '--uts', '--cgroup', ...network]
  const { table, folders, files, links } = layOut(plan)
  const lists = [table, folders, files, links].map((list) => list.join('\n'))
  const folder = `size=${plan.folderMib}m,nr_inodes=${plan.folderMib * 256 + 1_024},mode=0700,nosuid,nodev`
  const init = ['/bin/sh', '-c', INIT, 'init', plan.root, ...lists, plan.directory, plan.limits.join('\n'), folder]
  init.push(plan.loopback.join('\n'), plan.segmentPages === null ? '' : String(plan.segmentPages))
  return { command: 'unshare', args: [...kinds, '--fork', '--kill-child', ...init, command, ...args] }
}

/** Makes the shared folder read-only for the model with the first process `pid`, once its socket exists. */
export function sealCommand(shared: string, pid: number) {
  const options = readMounts().readOnly(shared).replace('rbind', 'remount,bind')
  const mount = ['mount', '-o', options, shared]
  return {
    command: 'nsenter',
    args: ['--target', String(pid), '--user', '--preserve-credentials', '--mount', ...mount],
  }
}

interface Layout {
  /** Lines as in fstab(5). */
  readonly table: string[]
  /** Mount points, relative to the new root. */
  readonly folders: string[]
  readonly files: string[]
  /** `place target` */
  readonly links: string[]
}

function layOut(plan: NamespacePlan): Layout {
  const mounts = readMounts()
  const layout: Layout = { table: [], folders: ['proc', 'dev/shm'], files: [], links: [] }
  const system = [...SYSTEM, ...(plan.hasNetwork ? NETWORK_SYSTEM : [])].filter((path) => existsSync(path))
  layout.table.push(tableLine('proc', plan.root, '/proc', 'proc', 'nosuid,nodev,noexec'))
  for (const path of DEVICES) addMount(layout, plan.root, path, 'rbind')
  layout.links.push('dev/fd /proc/self/fd', 'dev/stdin /proc/self/fd/0')
  layout.links.push('dev/stdout /proc/self/fd/1', 'dev/stderr /proc/self/fd/2')
  const done: string[] = []
  for (const path of [...system, ...plan.visible.readable]) {
    if (done.some((known) => holds(known, path))) continue
    done.push(path)
    if (lstatSync(path).isSymbolicLink()) addLink(layout, path)
    else for (const part of [path, ...mounts.below(path)]) addMount(layout, plan.root, part, mounts.readOnly(part))
  }
  for (const path of plan.visible.hidden) {
    if (statSync(path).isFile()) layout.table.push(tableLine('/dev/null', plan.root, path, 'none', 'bind'))
  }
  for (const path of plan.writable) addMount(layout, plan.root, path, 'rbind,nosuid,nodev')
  return layout
}

function addMount(layout: Layout, root: string, path: string, options: string): void {
  const place = path.slice(1)
  const isFolder = statSync(path).isDirectory()
  if (isFolder) layout.folders.push(place)
  else {
    layout.files.push(place)
    if (dirname(place) !== '.') layout.folders.push(dirname(place))
  }
  layout.table.push(tableLine(path, root, path, 'none', options))
}

/** A symbolic link, such as `/bin` to `/usr/bin`: its target must be visible too. */
function addLink(layout: Layout, path: string): void {
  const place = path.slice(1)
  if (dirname(place) !== '.') layout.folders.push(dirname(place))
  layout.links.push(`${place} ${readlinkSync(path)}`)
}

function tableLine(source: string, root: string, place: string, kind: string, options: string): string {
  const quote = (text: string) => text.replace(/[\s\\#]/g, (character) => `\\${octal(character)}`)
  return [quote(source), quote(join(root, place)), kind, options, '0', '0'].join(' ')
}

function octal(character: string): string {
  return character.charCodeAt(0).toString(8).padStart(3, '0')
}

/** A mount and its options. A bind mount must also protect the mounts inside the folder, and keep their restrictions. */
function readMounts() {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, , , , place, options] = line.split(' ')
      if (place === undefined || options === undefined) return []
      const path = place.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
      return [{ path, isNoExec: options.split(',').includes('noexec') }]
    })
  return {
    below: (folder: string) =>
      mounts.map(({ path }) => path).filter((path) => path !== folder && holds(folder, path) && existsSync(path)),
    readOnly(path: string): string {
      const around = mounts.filter((mount) => holds(mount.path, path)).sort((a, b) => b.path.length - a.path.length)
      return `rbind,ro,nosuid,nodev${around[0]?.isNoExec ? ',noexec' : ''}`
    },
  }
}
