/**
 * A program in a mount and a process namespace of its own: it sees other folders and users than the machine has, all
 * that it forks is counted and ends with it, and nothing of it is left. For servers whose folders and users are compiled in. Needs root.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launch, type Program } from '../program.ts'

export interface Apart {
  readonly folder: string
  /** Users that it needs; each has `home` as its home. */
  readonly users: readonly string[]
  readonly home: string
  /** Lines of sh that lay out its folders, as root within the namespace. */
  readonly layout?: readonly string[]
  readonly command: readonly string[]
}

/** Of the users, above those of the distribution's packages. */
const FIRST_ID = 64_900

export const idOf = (index: number): number => FIRST_ID + index

export function launchApart({ folder, users, home, layout = [], command }: Apart): Program {
  const etc = join(folder, 'etc')
  mkdirSync(etc, { recursive: true })
  const lines = users.map((name, i) => {
    const passwd = `${name}:x:${idOf(i)}:${idOf(i)}::${home}:/bin/false`
    return `echo '${passwd}' >> ${etc}/passwd; echo '${name}:x:${idOf(i)}:' >> ${etc}/group`
  })
  const script = [
    // The machine may know users of these names by other numbers.
    `for name in passwd group; do grep -vE '^(${users.join('|')}):' /etc/$name > ${etc}/$name; done`,
    ...lines,
    `for name in passwd group; do mount --bind ${etc}/$name /etc/$name; done`,
    ...layout,
    `exec ${command.join(' ')}`,
  ]
  writeFileSync(join(etc, 'start'), `${script.join('\n')}\n`)
  // Where the one dies the other is killed, and with it whatever it has forked.
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-e', join(etc, 'start')]
  const program = launch('unshare', args, join(folder, 'output'))
  return { ...program, stop: () => endAll(program) }
}

/** unshare itself is deaf to SIGTERM; with the first process of the namespace all others are killed by the kernel. */
async function endAll({ child, stop }: Program): Promise<void> {
  const { pid, exitCode } = child
  if (pid !== undefined && exitCode === null) {
    for (const first of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')) {
      if (Number(first) > 1) process.kill(Number(first), 'SIGKILL')
    }
  }
  await stop()
}
