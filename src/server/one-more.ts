/**
 * A piece of work that is done once at a time: however often it is asked for meanwhile, it is done once more behind
 * that. So the last who asks finds it done with what he has changed before, and a thousand who ask cost two. For the
 * reload of a config (start.ts): of two at once the older one could come last into force.
 */
export function oneMore(work: () => Promise<void>): () => void {
  let busy = false
  let again = false
  const begin = () => {
    if (busy) {
      again = true
      return
    }
    busy = true
    again = false
    void work().finally(() => {
      busy = false
      if (again) begin()
    })
  }
  return begin
}
