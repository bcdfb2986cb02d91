-- AlterTable: the default is for rows that are there, and for servers of the former release that are still running.
ALTER TABLE "credentials" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'oauth2';

-- The kinds of src/domain/credential-kind.ts.
ALTER TABLE "credentials"
    ADD CONSTRAINT "credentials_kind_check"
        CHECK ("kind" IN ('oauth2', 'api_key', 'basic', 'client_credentials'));
