/** What the bench stands on: the machine, the versions, and Postfix, which it installs where it may. */
import { cpus, release, totalmem } from 'node:os'
import { run } from './program.ts'

/** The first line of a program's output; undefined where it is missing or fails. */
async function said(command: string, args: readonly string[]): Promise<string | undefined> {
  return run(command, args).then(
    text => text.trim().split('\n')[0],
    () => undefined,
  )
}

/** Whether smtp-source and smtp-sink, and Postfix itself, can be used; with what is missing and why. */
export interface Tools {
  readonly load: boolean
  readonly postfix: boolean
  readonly missing: readonly string[]
}

export async function tools(): Promise<Tools> {
  const asRoot = process.getuid?.() === 0
  if (asRoot && !(await said('sh', ['-c', 'command -v smtp-source']))) {
    // The package asks questions where a terminal is there to answer.
    const install =
      'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postfix'
    await said('sh', ['-c', install])
  }
  const load = (await said('sh', ['-c', 'command -v smtp-source'])) !== undefined
  const missing = [
    ...(load
      ? []
      : ['smtp-source and smtp-sink are missing (package postfix): nothing is measured']),
    ...(load && !asRoot ? ['not root: Postfix cannot be started, its columns are empty'] : []),
  ]
  return { load, postfix: load && asRoot, missing }
}

export async function machine(): Promise<string> {
  const [first] = cpus()
  const postfix = await said('postconf', ['-d', '-h', 'mail_version'])
  const gb = (totalmem() / 1024 ** 3).toFixed(0)
  return [
    `${cpus().length} x ${first?.model.trim() ?? 'CPU'}, ${gb} GB, Linux ${release()}`,
    `Node ${process.versions.node}, SQLite ${process.versions['sqlite'] ?? '?'}, Postfix ${postfix ?? 'none'}`,
  ].join('\n')
}
