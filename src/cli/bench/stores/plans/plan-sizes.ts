/** How much there is when plans are looked at. */
export interface PlanSizes {
  /** 20,000 or more: below, reading the whole table is the better plan. */
  readonly integrations: number;
  /** Of each of a thousand integrations; one has 20,000 more. */
  readonly deliveriesEach: number;
  /** The numbers of integrations at which findIntegrationsByEntityId is timed, rising; `integrations` is one of them. */
  readonly flat: readonly number[];
}

export interface PlansChecked {
  readonly checked: number;
  /** Tables or collections that were read from end to end. */
  readonly scans: number;
}
