// Something that changes often and is drawn by the page.

export class Observed {
  /** Grows with every change and is what the page compares. */
  version = 0;
  private readonly viewers = new Set<() => void>();
  private scheduled = false;

  /** `soon` gathers the changes of one picture: thousands of events may come at once. */
  constructor(private readonly soon: (action: () => void) => void) {}

  watch = (viewer: () => void): (() => void) => {
    this.viewers.add(viewer);
    return () => this.viewers.delete(viewer);
  };

  protected changed(): void {
    this.version += 1;
    if (this.scheduled) return;
    this.scheduled = true;
    this.soon(() => {
      this.scheduled = false;
      for (const viewer of this.viewers) viewer();
    });
  }
}
