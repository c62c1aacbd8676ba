/**
 * Runs an operation (server/operation.ts): over the control socket while the server runs, in this
 * process on the opened store when it does not. The commands cannot tell the difference.
 */
import { join } from 'node:path'
import { ExitError } from '../server/exit-error.ts'
import type {
  OperationAnswer,
  OperationInput,
  OperationName,
  OperationOutput,
} from '../server/operation.ts'
import type { Settings } from '../server/settings/settings.ts'
import { isFolder, pathExists } from '../world/node/config-file.ts'
import { askServer } from '../world/node/control-client.ts'
import { EXIT } from './exit.ts'
import type { CommonOptions, Face } from './face.ts'
import { controlSocket } from './local-sockets.ts'

/** A backup or a check of a large store takes its time. */
const ANSWER_TIMEOUT_MS = 600_000

/** The output of the operation; throws an `ExitError` that says what to do. */
export async function call<Name extends OperationName>(
  face: Face,
  options: CommonOptions,
  name: Name,
  input: OperationInput<Name>,
): Promise<OperationOutput<Name>> {
  const told = await askNamed(face, options, name, input)
  if (told !== undefined) return told
  const settings = await located(face, options)
  return (await asked(controlOf(settings), name, input)) ?? offline(settings, name, input)
}

/** The same of a server that runs only; undefined where none does. */
export async function ask<Name extends OperationName>(
  face: Face,
  options: CommonOptions,
  name: Name,
  input: OperationInput<Name>,
): Promise<OperationOutput<Name> | undefined> {
  const told = await askNamed(face, options, name, input)
  return told ?? asked(controlOf(await located(face, options)), name, input)
}

/** Of the server that a folder names by itself: before any config is looked for, and its schemas are loaded. */
async function askNamed<Name extends OperationName>(
  face: Face,
  options: CommonOptions,
  name: Name,
  input: OperationInput<Name>,
): Promise<OperationOutput<Name> | undefined> {
  const socket = controlSocket(face, options)
  return socket === undefined ? undefined : asked(socket, name, input)
}

async function located(face: Face, options: CommonOptions): Promise<Settings> {
  const { locate } = await import('./locate.ts')
  return locate(face, options)
}

function controlOf({ listeners }: Settings): string {
  return listeners.control.path
}

async function asked<Name extends OperationName>(
  socket: string,
  name: Name,
  input: OperationInput<Name>,
): Promise<OperationOutput<Name> | undefined> {
  const reply = await askServer(socket, name, input, ANSWER_TIMEOUT_MS)
  switch (reply.kind) {
    case 'answer': {
      const answer = reply.answer as OperationAnswer<OperationOutput<Name>>
      if (answer.ok) return answer.value
      throw new ExitError(answer.error.exit, answer.error.message)
    }
    case 'absent':
      return undefined
    case 'denied':
      throw new ExitError(
        EXIT.noPermission,
        `${socket} may be opened by root and the server's own user only: try sudo`,
      )
    case 'failed':
      throw new ExitError(EXIT.unavailable, `the server behind ${socket} failed: ${reply.reason}`)
  }
}

/** What may be done in a folder that is new: everything else would find nothing in a wrong one, and call it empty. */
const BEGINS = /\.(?:add|import)$|^check$/

/** Whether something of a server is there, if only half of a restore: what it is says whoever opens it. */
function isOurs({ data, database }: Settings): boolean {
  const traces = ['postrider.db', 'restoring-postrider.db', 'moving', 'bodies']
  return database !== undefined || traces.some(name => pathExists(join(data, name)))
}

async function offline<Name extends OperationName>(
  settings: Settings,
  name: Name,
  input: OperationInput<Name>,
): Promise<OperationOutput<Name>> {
  const { data } = settings
  if (!isFolder(data) || !(BEGINS.test(name) || isOurs(settings))) {
    throw new ExitError(
      EXIT.noInput,
      `there is no data in ${data}: name the right folder with --data, or start the server first`,
    )
  }
  const { operations } = await import('../server/control.ts')
  const { openOffline } = await import('../server/offline.ts')
  const { context, close } = await openOffline(settings)
  try {
    return await operations[name](context, input)
  } finally {
    await close()
  }
}
