-- AlterTable
ALTER TABLE "credentials"
    ADD COLUMN "refresh_try" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "refresh_posts" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "refresh_posted_at" TIMESTAMPTZ(3),
    ADD COLUMN "refresh_due_at" TIMESTAMPTZ(3),
    ADD COLUMN "grant_ends_at" TIMESTAMPTZ(3),
    ADD COLUMN "grant_warn_at" TIMESTAMPTZ(3);

-- What was connected before is refreshed when it ends, and ahead of its end from then on.
UPDATE "credentials" SET "refresh_due_at" = "expires_at" WHERE "refreshable";

-- An answer can be awaited only where a request was made.
ALTER TABLE "credentials"
    ADD CONSTRAINT "credentials_refresh_check"
        CHECK ("refresh_try" >= 0 AND "refresh_posts" >= 0 AND ("refresh_posted_at" IS NULL OR "refresh_posts" > 0));

-- CreateIndex
CREATE INDEX "credentials_provider_refresh_due_at_idx" ON "credentials"("provider", "refresh_due_at");

-- CreateIndex
CREATE INDEX "credentials_grant_warn_at_idx" ON "credentials"("grant_warn_at");
