/**
 * What the command line may ask, done: the table of server/operation.ts over a house. While the
 * server runs it is reached by HTTP on the control socket (mode 0600); without a server the command
 * builds a house of its own around the locked data folder and calls the same table.
 */
import { Hono } from 'hono'
import { queuedContent } from '../queue/content.ts'
import { depth, queuedMessage } from '../queue/reader.ts'
import type { Claimed } from '../queue/writer.ts'
import { backup } from '../store/backup.ts'
import { findings } from '../store/check.ts'
import type { FileStore } from '../store/open.ts'
import type { Store } from '../store/store.ts'
import { makeJob, rowOf } from '../transport/job.ts'
import type { World } from '../world/world.ts'
import { BODIES, DATABASE } from './folder.ts'
import type { House } from './house.ts'
import * as account from './operation/account.ts'
import * as queue from './operation/queue.ts'
import {
  type OperationAnswer,
  OperationError,
  type OperationOutput,
  type Operations,
} from './operation.ts'

/** What `status` tells only of a running server. */
export type RunningFacts = Pick<
  OperationOutput<'status'>,
  'pid' | 'version' | 'startedAt' | 'epoch' | 'listeners'
>

export interface ControlContext {
  readonly house: House
  readonly world: World
  readonly store: Store
  readonly node: string
  /** Facts only a running server has. */
  readonly running?: () => RunningFacts
  wake(): void
  expireMs(): number
  content(message: {
    readonly head: Uint8Array
    readonly body_id: number | null
  }): AsyncIterable<Uint8Array>
  failClaimed(claimed: readonly Claimed[]): Promise<void>
}

/** The context over a house. */
export function contextOf(house: House, running?: ControlContext['running']): ControlContext {
  const { world, store, worker, settings } = house
  return {
    house,
    world,
    store,
    node: worker.node,
    ...(running ? { running } : {}),
    wake: () => worker.wake(),
    expireMs: () => settings().queue.expire,
    content: ({ head, body_id }) =>
      queuedContent(store, world.disk, { head, body_id: body_id ?? 0 }),
    failClaimed: claimed => failClaimed(house, claimed),
  }
}

export const operations: Operations<ControlContext> = {
  'queue.list': queue.list,
  'queue.show': queue.show,
  'queue.retry': (context, input) => queue.obey(context, 'retry', input),
  'queue.hold': (context, input) => queue.obey(context, 'hold', input),
  'queue.release': (context, input) => queue.obey(context, 'release', input),
  'queue.delete': (context, { bounce, ...selection }) =>
    bounce ? queue.fail(context, selection) : queue.obey(context, 'delete', selection),
  'queue.why': queue.why,
  'account.add': account.addAccount,
  'account.list': account.listAccounts,
  'account.password': account.setPassword,
  'account.disable': account.disable,
  'account.enable': account.enable,
  'account.remove': account.removeAccount,
  'alias.add': account.addAlias,
  'alias.list': account.listAliases,
  'alias.remove': account.removeAlias,
  'domain.add': account.addDomain,
  'domain.list': account.listDomains,
  'domain.remove': account.removeDomain,
  trace: queue.traceMessage,
  backup: (context, { folder }) => makeBackup(context, folder),
  check,
  status,
}

/** The HTTP face of the table: `POST /<operation>` with the input as JSON. */
export function controlApp(context: ControlContext): Hono {
  const app = new Hono()
  app.post('/:operation', async c => {
    const name = c.req.param('operation')
    if (!Object.hasOwn(operations, name)) {
      return c.json(refusal(69, `this server does not know ${name}: is it of another version?`))
    }
    try {
      const operation = operations[name as keyof typeof operations] as (
        context: ControlContext,
        input: unknown,
      ) => Promise<unknown>
      return c.json({ ok: true, value: await operation(context, await c.req.json()) })
    } catch (error) {
      if (error instanceof OperationError) return c.json(refusal(error.exit, error.message))
      context.world.log.error('control.failed', { operation: name, error: String(error) })
      return c.json(refusal(70, error instanceof Error ? error.message : String(error)))
    }
  })
  return app
}

function refusal(exit: number, message: string): OperationAnswer<never> {
  return { ok: false, error: { exit, message } }
}

/** Settles claimed rows as failed, with the notices that are owed. */
async function failClaimed(house: House, claimed: readonly Claimed[]): Promise<void> {
  const byMessage = Map.groupBy(claimed, row => row.message_id)
  for (const [id, rows] of byMessage) {
    const message = await house.store.read(queuedMessage, id)
    if (!message) continue
    const content = () => queuedContent(house.store, house.world.disk, message)
    const job = makeJob(message, rows.map(rowOf), { kind: 'local' }, content)
    await house.settler.settle(job, {
      outcomes: rows.map(() => ({
        kind: 'failed',
        status: '5.7.1',
        reason: 'removed from the queue by the operator',
      })),
    })
  }
  house.worker.wake()
}

async function makeBackup(
  { store, world }: ControlContext,
  folder: string,
): Promise<OperationOutput<'backup'>> {
  const made = await backup({
    store: store as FileStore,
    disk: world.disk,
    clock: world.clock,
    log: world.log,
    directory: folder,
    databaseName: DATABASE,
    bodiesName: BODIES,
  })
  const [first] = made.findings
  if (first) {
    throw new OperationError(
      65,
      `the backup was made but is not sound: ${first.rule}: ${first.detail}`,
    )
  }
  return { folder, sizeOctets: made.sizeOctets, files: made.bodies + 1 }
}

async function check({ store, world }: ControlContext): Promise<OperationOutput<'check'>> {
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

async function status({
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
