/** A house without a server: for commands while none runs. It holds the data folder's lock. */
import { silent } from '../world/log.ts'
import { ExitError } from './exit-error.ts'
import { openFolder } from './folder.ts'
import { buildHouse } from './house.ts'
import { type ControlContext, contextOf } from './operation/context.ts'
import type { Settings } from './settings/settings.ts'

/** Opens the data folder's store; throws an ExitError where a server holds it after all. */
export async function openOffline(
  settings: Settings,
): Promise<{ context: ControlContext; close(): Promise<void> }> {
  const folder = await openFolder(settings, silent)
  if (!folder) {
    const { data } = settings
    throw new ExitError(75, `a server holds ${data} but does not answer; try again`)
  }
  const { world, store, close } = folder
  const house = await buildHouse({
    world,
    store,
    settings: () => settings,
    hooks: () => undefined,
    identity: { current: () => ({}) },
    pem: () => '',
    ourAddresses: () => [],
  })
  return { context: contextOf(house), close }
}
