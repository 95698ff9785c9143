// A value of the server that is asked for again and again while the page is looked at.

import { useCallback, useEffect, useRef, useState } from "react";
import { Refusal } from "./api";

export interface Polled<Value> {
  value: Value | null;
  refusal: Refusal | null;
  again(): void;
}

/**
 * `key` names what is asked for: another key forgets the old value. `interval` null asks once;
 * `again` asks at once.
 */
export function usePolled<Value>(
  key: string,
  load: () => Promise<Value>,
  interval: number | null,
): Polled<Value> {
  const [held, setHeld] = useState<{ key: string; value: Value } | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [turn, setTurn] = useState(0);
  const current = useRef(load);
  current.current = load;

  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      let absent = false;
      try {
        // A page in the background asks for nothing anew.
        if (interval === null || !document.hidden) {
          const value = await current.current();
          if (over) return;
          setHeld({ key, value });
          setRefusal(null);
        }
      } catch (error) {
        if (over) return;
        const known = error instanceof Refusal ? error : new Refusal(0, "unreachable", "");
        absent = known.status === 0 || known.status >= 500;
        setRefusal(known);
      }
      // A server that is away is asked again even when one answer would do.
      const wait = interval ?? (absent ? 2_000 : null);
      if (wait !== null) timer = setTimeout(() => void ask(), wait);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [key, interval, turn]);

  const again = useCallback(() => setTurn((before) => before + 1), []);
  return { value: held?.key === key ? held.value : null, refusal, again };
}
