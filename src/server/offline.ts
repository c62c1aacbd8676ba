/** A house without a server: for commands while none runs. It holds the data folder's lock. */
import { join } from 'node:path'
import { openStore } from '../store/open.ts'
import { silent } from '../world/log.ts'
import { nodeWorld } from '../world/node/index.ts'
import { lockDirectory } from '../world/node/lock.ts'
import { BODIES, type ControlContext, contextOf, DATABASE } from './control.ts'
import { buildHouse } from './house.ts'
import { OperationError } from './operation.ts'
import { STORE_MODULES } from './rooms.ts'
import type { Settings } from './settings.ts'

/** Opens the data folder's store; throws an OperationError where a server holds it after all. */
export async function openOffline(
  settings: Settings,
): Promise<{ context: ControlContext; close(): Promise<void> }> {
  const lock = lockDirectory(settings.data)
  if (lock.held) {
    throw new OperationError(75, `a server holds ${settings.data} but does not answer; try again`)
  }
  try {
    const world = {
      ...(await nodeWorld({ bodiesDirectory: join(settings.data, BODIES) })),
      log: silent,
    }
    const { clock, log } = world
    const path = join(settings.data, DATABASE)
    const store = await openStore({ path, modules: STORE_MODULES, clock, log })
    const house = await buildHouse({
      world,
      store,
      settings: () => settings,
      hooks: () => undefined,
      identity: { current: () => ({}) },
      ourAddresses: () => [],
    })
    const close = async () => {
      await store.close()
      lock.release()
    }
    return { context: contextOf(house), close }
  } catch (error) {
    lock.release()
    throw error
  }
}
