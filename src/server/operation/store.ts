/** The store as an operator looks after it: `backup`, `check`, `status`, `nodes`. */
import { listNodes, SILENT_MS } from '../../cluster/reader.ts'
import { depth } from '../../queue/reader.ts'
import { backup, copyDatabase } from '../../store/backup.ts'
import { findings } from '../../store/check.ts'
import type { FileStore } from '../../store/open.ts'
import { StoreError } from '../../store/store.ts'
import { ExitError } from '../exit-error.ts'
import { BODIES, DATABASE } from '../folder.ts'
import type { OperationInput, OperationOutput } from '../operation.ts'
import type { ControlContext } from './context.ts'

export async function makeBackup(
  { store, world }: ControlContext,
  { folder, bodies }: OperationInput<'backup'>,
): Promise<OperationOutput<'backup'>> {
  if (!('copyTo' in store)) {
    throw new ExitError(69, 'the database is a PostgreSQL: back it up with pg_dump or its WAL')
  }
  const source = store as FileStore
  if (bodies === false) {
    const sizeOctets = await copyDatabase(source, folder, DATABASE).catch(error => {
      throw backupFailure(folder, error)
    })
    return { folder, sizeOctets, files: 1 }
  }
  const made = await backup({
    store: source,
    disk: world.disk,
    clock: world.clock,
    log: world.log,
    directory: folder,
    databaseName: DATABASE,
    bodiesName: BODIES,
  }).catch(error => {
    throw backupFailure(folder, error)
  })
  const [first] = made.findings
  if (first) {
    throw new ExitError(65, `the backup was made but is not sound: ${first.rule}: ${first.detail}`)
  }
  return { folder, sizeOctets: made.sizeOctets, files: made.bodies + 1 }
}

/** What an operator can do about it, where he can: the server writes the backup, not his command. */
function backupFailure(folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new ExitError(73, `${folder} is not empty: name a folder that is new or empty`)
  }
  if (code === 'ENOENT') {
    return new ExitError(73, `${folder} cannot be made: the folder it is to be in is missing`)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const remedy = 'make it and give it to that user, or name one where it may write'
    return new ExitError(73, `the server, as its own user, may not write ${folder}: ${remedy}`)
  }
  if (code === 'ENOSPC' || (error instanceof StoreError && error.reason === 'full')) {
    return new ExitError(74, `there is no room for the backup where ${folder} is`)
  }
  return error
}

export async function check({ store, world }: ControlContext): Promise<OperationOutput<'check'>> {
  const staged: { name: string; sizeOctets: number }[] = []
  for await (const file of world.disk.list()) staged.push(file)
  const found = await findings(store, staged)
  return {
    checked: staged.length,
    findings: found.map(({ rule, where, detail }) => ({
      severity: 'error' as const,
      what: `${where}: ${detail} (rule: ${rule})`,
      remedy: "restore a backup, or report this with the output of 'postrider check --json'",
    })),
  }
}

export async function status({
  house,
  store,
  running,
}: ControlContext): Promise<OperationOutput<'status'>> {
  const rows = await store.read(depth, null)
  const count = (states: readonly string[]) =>
    rows.filter(row => states.includes(row.state)).reduce((sum, row) => sum + row.recipients, 0)
  const settings = house.settings()
  return {
    pid: 0,
    version: '',
    startedAt: 0,
    epoch: '',
    listeners: {},
    ...running?.(),
    running: running !== undefined,
    hostname: settings.hostname,
    data: settings.data,
    queued: count(['queued', 'leased']),
    held: count(['held']),
  }
}

export async function nodes({ store }: ControlContext): Promise<OperationOutput<'nodes'>> {
  const rows = await store.read(listNodes, null)
  const alive = rows.filter(row => row.silentMs < SILENT_MS)
  return {
    nodes: rows.map(({ epoch, draining, ...row }) => ({
      ...row,
      config: epoch,
      state: row.silentMs >= SILENT_MS ? 'silent' : draining ? 'draining' : 'working',
    })),
    configsDiffer: new Set(alive.map(row => row.epoch)).size > 1,
  }
}
