import { useCallback, useSyncExternalStore } from 'react';

/** Whole seconds until then, counting down to 0; `null` where there is nothing to wait for. */
export function useRetryCountdown(nextRetryAt: number | null): number | null {
  const subscribe = useCallback(
    (onChange: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const wait = (): void => {
        const left = nextRetryAt === null ? 0 : nextRetryAt - Date.now();
        // To the moment when another second begins; a later one would be seen late, one too early is asked again.
        if (left > 0) timer = setTimeout(onTime, left % SECOND || SECOND);
      };
      const onTime = (): void => {
        onChange();
        wait();
      };
      wait();
      return () => clearTimeout(timer);
    },
    [nextRetryAt],
  );
  return useSyncExternalStore(subscribe, () => secondsUntil(nextRetryAt), () => null);
}

const SECOND = 1000;

function secondsUntil(at: number | null): number | null {
  return at === null ? null : Math.max(0, Math.ceil((at - Date.now()) / SECOND));
}
