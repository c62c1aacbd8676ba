/**
 * What follows from the settings, worked out once for each epoch: who asks for it at every message gets the
 * same object as long as the settings are the same ones.
 */
export function oncePer<Settings extends object, Made>(
  settings: () => Settings,
  make: (settings: Settings) => Made,
): () => Made {
  let of: Settings | undefined
  let made: Made | undefined
  return () => {
    const now = settings()
    if (now !== of) {
      made = make(now)
      of = now
    }
    return made as Made
  }
}
